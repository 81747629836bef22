//! `sandsweep doctor`
use super::Failure;
/// x
pub fn doctor(_json: bool) -> Result<u8, Failure> { Ok(0) }
