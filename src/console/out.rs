//! Standard output that reports every failure: the standard library's own handle takes a descriptor that
//! cannot be written for one that swallows everything.

use std::io::{self, Write};

#[cfg(unix)]
use std::{fs::File, os::fd::AsFd};

/// Standard output, unbuffered.
pub(super) fn stream() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    if let Ok(file) = descriptor() {
        return Box::new(file);
    }
    Box::new(io::stdout())
}

/// Whether it can be written, as far as that shows before anything is: a descriptor for reading only,
/// `/dev/full`, a file on a disk without a free block.
pub(super) fn check() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut file = descriptor()?;
        // It reaches the device all the same.
        file.write(&[]).map(drop)?;
        if file.metadata()?.is_file() {
            let system = rustix::fs::fstatvfs(&file)?;
            if system.f_blocks > 0 && system.f_bfree == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn descriptor() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
