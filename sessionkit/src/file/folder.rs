//! The directory, as far as it may be trusted: everything is opened relative to directories that are held open, and no
//! link is followed.

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, mkdirat, open, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::failure::{Failure, FileSetupError};
use super::names;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a file without following a link, and without waiting for the writer of a pipe.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The bits of a mode that let others write.
const OTHERS_WRITE: u32 = 0o022;

/// The directory of a store.
#[derive(Debug)]
pub(super) struct Root {
    directory: File,
    path: PathBuf,
}

impl Root {
    /// Opens a directory, making it and what belongs into it unless it is there.
    pub(super) fn open(path: &Path) -> Result<Self, FileSetupError> {
        // Without a slash at the end, behind which a link would be followed.
        let path: PathBuf = path.components().collect();
        if path.as_os_str().is_empty() {
            return Err(FileSetupError::new("the path of the directory for sessions is empty"));
        }
        make(&path)?;
        let directory = open(&path, DIRECTORY, Mode::empty()).map_err(|error| no_directory(&path, error))?;
        let root = Self { directory: directory.into(), path };
        check(&root.directory, &root.path)?;
        root.make_shards()?;
        Ok(root)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn shard(&self, number: u8) -> Result<Shard<'_>, Failure> {
        let name = names::of_shard(number);
        match openat(&self.directory, &*name, DIRECTORY, Mode::empty()) {
            Ok(directory) => Ok(Shard { root: self, number, directory: directory.into() }),
            Err(error) => Err(Failure { action: "open", path: self.path.join(name), source: error.into() }),
        }
    }

    fn make_shards(&self) -> Result<(), FileSetupError> {
        let cannot = |path: &Path, error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::PermissionDenied => ": let the user who runs this program write there",
                _ => "",
            };
            FileSetupError::caused(format!("cannot make the directory `{}`{advice}", path.display()), error)
        };
        for number in 0..names::SHARDS {
            let name = names::of_shard(number);
            match mkdirat(&self.directory, &*name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(cannot(&self.path.join(name), error.into())),
            }
            let shard = self.shard(number).map_err(|failure| no_directory_of(&failure))?;
            check(&shard.directory, &self.path.join(name))?;
        }
        // Another process may have made them; what is stored in them later would be lost with them all the same.
        self.directory.sync_all().map_err(|error| cannot(&self.path, error))
    }
}

/// Makes a directory unless there is something of its name.
fn make(path: &Path) -> Result<(), FileSetupError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => ": make the directory above it first",
                _ => ": make it yourself, for the user who runs this program",
            };
            let message = format!("cannot make the directory `{}` for sessions{hint}", path.display());
            return Err(FileSetupError::caused(message, error));
        }
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(parent).and_then(|parent| parent.sync_all());
    synced.map_err(|error| FileSetupError::caused(format!("cannot sync the directory `{}`", parent.display()), error))
}

fn no_directory(path: &Path, error: Errno) -> FileSetupError {
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let message = match error {
        Errno::LOOP | Errno::NOTDIR if is_link => {
            format!("`{}` is a symbolic link: name the directory that it leads to", path.display())
        }
        Errno::NOTDIR => format!("`{}` is not a directory: name another path", path.display()),
        _ => format!("cannot open the directory `{}`: give it to the user who runs this program", path.display()),
    };
    FileSetupError::caused(message, error.into())
}

fn no_directory_of(failure: &Failure) -> FileSetupError {
    let error = Errno::from_io_error(&failure.source).unwrap_or(Errno::IO);
    no_directory(&failure.path, error)
}

/// Refuses a directory in which others could put or replace something.
fn check(directory: &File, path: &Path) -> Result<(), FileSetupError> {
    let shown = path.display();
    let metadata = directory.metadata();
    let found = metadata.map_err(|error| FileSetupError::caused(format!("cannot look at `{shown}`"), error))?;
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user {
        return Err(FileSetupError::new(format!(
            "`{shown}` belongs to the user with the id {}, and this program runs as {user}: run it as that user, or give \
             the directory and all that is in it to this one with `chown -R {user}`",
            found.uid()
        )));
    }
    if found.mode() & OTHERS_WRITE != 0 {
        return Err(FileSetupError::new(format!(
            "other users may write to `{shown}`, whose mode is {:o}: run `chmod 700` on it, after a look at what is in it",
            found.mode() & 0o7777
        )));
    }
    Ok(())
}

/// One of the directories in which the files are.
#[derive(Debug)]
pub(super) struct Shard<'a> {
    root: &'a Root,
    number: u8,
    directory: File,
}

/// The thing that has the name of an entry.
pub(super) enum Found {
    /// A regular file, and what is known of it.
    File(File, Metadata),
    /// A link, a directory, a pipe ..: nothing of ours.
    Foreign,
}

impl Shard<'_> {
    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// Opens a file for reading; `None` if nothing has this name.
    pub(super) fn open(&self, name: &str) -> Result<Option<Found>, Failure> {
        let file: File = match openat(&self.directory, name, FILE, Mode::empty()) {
            Ok(file) => file.into(),
            Err(Errno::NOENT) => return Ok(None),
            // A link, on some systems by another name; a socket, or a device that is not there.
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => {
                return Ok(Some(Found::Foreign));
            }
            Err(error) => return Err(self.failure("open", name, error)),
        };
        let metadata = file.metadata().map_err(|error| self.failure("look at", name, error))?;
        Ok(Some(if metadata.is_file() { Found::File(file, metadata) } else { Found::Foreign }))
    }

    /// Makes a file that nobody has made before, for writing; `None` if the name is taken.
    pub(super) fn create(&self, name: &str) -> Result<Option<File>, Failure> {
        let flags = FILE | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        match openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::EXIST) => Ok(None),
            Err(error) => Err(self.failure("make", name, error)),
        }
    }

    /// Opens the file that is locked while something in the shard changes.
    pub(super) fn lock_file(&self) -> Result<File, Failure> {
        let file = openat(&self.directory, names::LOCK, FILE | OFlags::CREATE, Mode::RUSR | Mode::WUSR);
        Ok(file.map_err(|error| self.failure("open", names::LOCK, error))?.into())
    }

    /// Gives a file another name, in the place of the one that has it.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Failure> {
        let renamed = renameat(&self.directory, from, &self.directory, to);
        renamed.map_err(|error| self.failure("rename a new file to", to, error))
    }

    /// Removes whatever has this name; a directory is put aside, since nobody knows what is in it.
    pub(super) fn remove(&self, name: &str) -> Result<(), Failure> {
        match unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::ISDIR | Errno::PERM) if matches!(self.open(name)?, Some(Found::Foreign)) => {
                self.rename(name, &format!("foreign-{name}-{}", names::temporary()))
            }
            Err(error) => Err(self.failure("remove", name, error)),
        }
    }

    /// Returns the names of all that is there.
    pub(super) fn names(&self) -> Result<Vec<String>, Failure> {
        let list = || {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.directory)? {
                // The names of ours are text.
                names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
            }
            Ok(names)
        };
        list().map_err(|error: Errno| self.failure("list", "", error))
    }

    /// Waits until all changes of names are on the disk.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        self.directory.sync_all().map_err(|error| self.failure("sync", "", error))
    }

    pub(super) fn failure(&self, action: &'static str, name: &str, source: impl Into<io::Error>) -> Failure {
        Failure { action, path: self.path(name), source: source.into() }
    }

    /// Returns the path of a file, to show it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let mut path = self.root.path.join(names::of_shard(self.number));
        if !name.is_empty() {
            path.push(name);
        }
        path
    }
}

/// Returns the size of a file on the disk, in bytes, usually a multiple of the block size.
pub(super) fn space(metadata: &Metadata) -> u64 {
    metadata.len().max(metadata.blocks() * 512)
}
