//! Keys that are a function of their place, so that ten million of them need no memory.

/// How the keys of a bucket are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// One directory, numbered.
    Flat,
    /// Hashes, without any directory.
    Random,
    /// Four fifths in one directory among a thousand small ones.
    Hot,
    /// Run files and artifacts as a W&B server writes them.
    Wandb,
}

/// Sorted.
const RUN_FILES: [&str; 12] = [
    "config.yaml",
    "logs/debug-internal.log",
    "logs/debug.log",
    "media/images/input",
    "media/images/output",
    "media/table/examples",
    "output.log",
    "requirements.txt",
    "wandb-events.jsonl",
    "wandb-history.jsonl",
    "wandb-metadata.json",
    "wandb-summary.json",
];
/// Sorted; each has half of the runs that are left.
const PROJECTS: [&str; 5] = ["baseline", "diffusion", "finetune", "sweep-7", "vit"];
const ARTIFACT_FILES: u64 = 40;
const SMALL_DIRECTORIES: u64 = 500;

impl Shape {
    /// Key number `index` of `total`, in the order of their bytes. Its last eight digits are `index`.
    pub fn key(self, index: u64, total: u64) -> String {
        match self {
            Self::Flat => format!("media/images/step_{index:09}_{index:08x}"),
            Self::Random => format!("{:016x}{index:08x}", spread(index, total, u64::MAX)),
            Self::Hot => {
                let small = total / 10;
                match index {
                    first if first < small => {
                        format!("a-{:03}/file_{index:08x}", first * SMALL_DIRECTORIES / small)
                    }
                    last if last >= total - small => {
                        let place = last - (total - small);
                        format!("z-{:03}/file_{index:08x}", place * SMALL_DIRECTORIES / small)
                    }
                    _ => format!("hot/{:06x}/part_{index:08x}", index / 64),
                }
            }
            Self::Wandb => {
                let runs = total * 6 / 10;
                match index.checked_sub(runs) {
                    None => run_file(index, runs),
                    Some(place) => {
                        let (artifact, file) = (place / ARTIFACT_FILES, place % ARTIFACT_FILES);
                        let hash = mix(index) >> 8;
                        format!("wandb_artifacts/{artifact:09}/{:02x}{hash:014x}{index:08x}", file * 6)
                    }
                }
            }
        }
    }

    /// The place of the first key that `is_past`, which holds for all keys from some place on.
    pub fn first(self, total: u64, is_past: impl Fn(&str) -> bool) -> u64 {
        let (mut low, mut high) = (0, total);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_past(&self.key(middle, total)) { high = middle } else { low = middle + 1 }
        }
        low
    }
}

/// The place of a key, which it ends with.
pub fn place(key: &str) -> Option<u64> {
    u64::from_str_radix(key.get(key.len().checked_sub(8)?..)?, 16).ok()
}

fn run_file(index: u64, total: u64) -> String {
    let files = RUN_FILES.len() as u64;
    let (runs, run, file) = (total.div_ceil(files), index / files, index % files);
    let left = (runs - run) * (1 << PROJECTS.len()) / runs.max(1);
    let project = (PROJECTS.len() - 1).min(PROJECTS.len() - left.max(1).ilog2() as usize);
    let id = base36(spread(run, runs, 36_u64.pow(8)));
    format!("acme/{}/{id}/{}.{index:08x}", PROJECTS[project], RUN_FILES[usize::try_from(file).unwrap_or(0)])
}

/// A number below `end` that looks random and grows with `index`.
fn spread(index: u64, total: u64, end: u64) -> u64 {
    let step = (end / total.max(1)).max(1);
    index * step + mix(index) % step
}

/// <https://prng.di.unimi.it/splitmix64.c>
fn mix(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn base36(mut number: u64) -> String {
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or(0)];
        number /= 36;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_name_their_place() {
        for shape in [Shape::Flat, Shape::Random, Shape::Hot, Shape::Wandb] {
            for total in [1, 999, 30_000] {
                let keys: Vec<String> = (0..total).map(|index| shape.key(index, total)).collect();
                assert!(keys.is_sorted_by(|a, b| a < b), "{shape:?} {total}");
                assert!((0..total).all(|index| place(&keys[usize::try_from(index).unwrap()]) == Some(index)));
                let middle = &keys[keys.len() / 2];
                assert_eq!(shape.first(total, |key| key >= middle.as_str()), total / 2);
            }
        }
    }
}
