// Writes and reads sessions with the packages of other systems, for the tests in ../tests/migration.
//
// Each line of the input is a request in JSON, each line of the output its answer: the members of a request are `system`, `do`
// (a function of the system's class), `now` and what that function takes. It is run with `--eval` in the folder of the
// packages, so that it finds them.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { createInterface } from "node:readline";
import { mock } from "node:test";

/** Returns the values in Set-Cookie headers by their names, as they are on the wire. */
function cookiesOf(headers) {
  const pairs = headers.map((header) => header.split(";")[0]);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** Returns a Cookie header of values on the wire by their names. */
function headerOf(cookies) {
  return Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
}

/** express-session over connect-redis, in an application of Express. */
class Express {
  clients = new Map();

  async client(url) {
    if (!this.clients.has(url)) {
      const { createClient } = await import("redis");
      this.clients.set(url, await createClient({ url }).connect());
    }
    return this.clients.get(url);
  }

  /** Sends one request, which sees the session, changes it, and may end it. */
  async visit({ redis, cookies = {}, set = {}, remove = [], destroy = false, store = {}, ...settings }) {
    const [{ default: express }, { default: session }, { RedisStore }] = await Promise.all(
      ["express", "express-session", "connect-redis"].map((name) => import(name)),
    );
    const app = express();
    const records = new RedisStore({ client: await this.client(redis), ...store });
    app.use(session({ resave: false, saveUninitialized: false, store: records, ...settings }));
    let seen = null;
    app.get("/", (request, response, next) => {
      const { cookie, ...values } = request.session;
      seen = JSON.parse(JSON.stringify(values));
      Object.assign(request.session, set);
      for (const key of remove) delete request.session[key];
      if (destroy) request.session.destroy((error) => (error ? next(error) : response.end()));
      else response.end();
    });
    app.use((error, request, response, next) => response.status(500).end());
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const asked = httpRequest({ port: server.address().port, agent: false, headers: { cookie: headerOf(cookies) } });
      asked.end();
      const [response] = await once(asked, "response");
      response.resume();
      await once(response, "end");
      return { seen, status: response.statusCode, cookies: cookiesOf(response.headers["set-cookie"] ?? []) };
    } finally {
      server.close();
    }
  }
}

class IronSession {
  /** Sends one request, which sees the session, changes it, saves it if there is something to set, and may end it. */
  async visit({ cookies = {}, set, destroy = false, ...settings }) {
    const { getIronSession } = await import("iron-session");
    const request = new Request("https://localhost/", { headers: { cookie: headerOf(cookies) } });
    const headers = new Headers();
    const session = await getIronSession(request, headers, settings);
    const seen = JSON.parse(JSON.stringify(session));
    if (set) {
      Object.assign(session, set);
      await session.save();
    }
    if (destroy) session.destroy();
    return { seen, cookies: cookiesOf(headers.getSetCookie()) };
  }
}

/** Auth.js, with a login by name and password that takes everybody. */
class AuthJs {
  async auth({ secret, url, values, ...settings }, path, init) {
    const [{ Auth }, { default: Credentials }] = await Promise.all(
      ["@auth/core", "@auth/core/providers/credentials"].map((name) => import(name)),
    );
    const config = {
      secret,
      basePath: "/auth",
      trustHost: true,
      providers: [Credentials({ credentials: {}, authorize: () => values })],
      callbacks: { jwt: ({ token, user }) => (user ? { ...token, ...user } : token) },
      logger: { error() {}, warn() {}, debug() {} },
      ...settings,
    };
    return Auth(new Request(`${url}/auth/${path}`, init), config);
  }

  /** Logs a user in, and returns all cookies. */
  async login(given) {
    const response = await this.auth(given, "csrf");
    const cookies = cookiesOf(response.headers.getSetCookie());
    const { csrfToken } = await response.json();
    const answer = await this.auth(given, "callback/credentials", {
      method: "POST",
      headers: { cookie: headerOf(cookies) },
      body: new URLSearchParams({ csrfToken }),
    });
    return cookiesOf(answer.headers.getSetCookie());
  }

  /** Returns the session of cookies, as an application would see it, and the cookies that are set again. */
  async session({ cookies, ...given }) {
    const response = await this.auth(given, "session", { headers: { cookie: headerOf(cookies) } });
    return { session: await response.json(), cookies: cookiesOf(response.headers.getSetCookie()) };
  }

  async encode({ values, ...given }) {
    const { encode } = await import("@auth/core/jwt");
    return encode({ token: values, ...given });
  }

  /** Returns the claims of a token, or nothing. */
  async decode(given) {
    const { decode } = await import("@auth/core/jwt");
    return decode(given).catch(() => null);
  }
}

/** NextAuth.js 4, of which the functions of its tokens run without Next.js. */
class NextAuth {
  async encode({ values, ...given }) {
    const { default: jwt } = await import("next-auth/jwt");
    return jwt.encode({ token: values, ...given });
  }

  async decode(given) {
    const { default: jwt } = await import("next-auth/jwt");
    return jwt.decode(given).catch(() => null);
  }
}

const SYSTEMS = {
  "auth-js": new AuthJs(),
  express: new Express(),
  "iron-session": new IronSession(),
  "next-auth": new NextAuth(),
};

mock.timers.enable({ apis: ["Date"] });
for await (const line of createInterface({ input: process.stdin })) {
  const { system, do: action, now, ...given } = JSON.parse(line);
  let answer;
  try {
    mock.timers.setTime(now * 1000);
    answer = { answer: (await SYSTEMS[system][action](given)) ?? null };
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
// Connections of clients are open.
process.exit();
