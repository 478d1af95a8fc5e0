//! The targets of the fuzzer without it: the inputs that are kept, and a fixed number of mutations of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sessionkit_tests::fuzz::{TARGETS, Target};

/// The mutations for each target.
const MUTATIONS: usize = 3_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder().join(target.name)).unwrap_or_else(|error| panic!("{}: {error}", target.name));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no inputs", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs an input; a panic says which it was.
fn run(target: &Target, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| (target.run)(input));
    assert!(outcome.is_ok(), "{}: {:?}", target.name, input.escape_ascii().to_string());
}

#[test]
fn inputs_that_are_kept_do_no_harm() {
    for target in TARGETS {
        run(target, b"");
        inputs(target).iter().for_each(|input| run(target, input));
    }
}

#[test]
fn mutations_do_no_harm() {
    for target in TARGETS {
        let (inputs, mut random) = (inputs(target), Random(0x5eed));
        for _ in 0..MUTATIONS {
            run(target, &random.mutation(&inputs));
        }
    }
}

#[test]
fn each_folder_of_inputs_has_a_target() {
    let folders = fs::read_dir(folder()).unwrap().map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let targets = TARGETS.iter().map(|target| target.name.to_owned());
    assert_eq!(folders.collect::<BTreeSet<_>>(), targets.collect());
}

/// Numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    /// Changes an input in one to four places.
    fn mutation(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        const STRIKING: &[u8] = b"\0\x01\x7f\x80\xff\"\\.,;:={}[]$-+09aZ \n";
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            match self.below(6) {
                0 if at < input.len() => input[at] ^= 1 << self.below(8),
                1 if at < input.len() => input[at] = STRIKING[self.below(STRIKING.len())],
                2 => input.insert(at, STRIKING[self.below(STRIKING.len())]),
                3 => drop(input.drain(at..(at + self.below(8)).min(input.len()))),
                4 => {
                    let copied = input[at..(at + self.below(16)).min(input.len())].to_vec();
                    let to = self.below(input.len() + 1);
                    input.splice(to..to, copied);
                }
                _ => {
                    let other = &inputs[self.below(inputs.len())];
                    input.truncate(at);
                    input.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
            }
        }
        input
    }
}
