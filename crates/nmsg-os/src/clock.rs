use std::time::Duration;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time of day as the C library's `ctime` writes it, in the time zone of the process:
/// `Fri Nov 20 19:37:19 2026`.
#[must_use]
#[expect(unsafe_code, reason = "time zones have no safe binding")]
pub fn local_time_text(since_1970: Duration) -> String {
    let seconds = libc::time_t::try_from(since_1970.as_secs()).unwrap_or(libc::time_t::MAX);
    // SAFETY: a zeroed tm is valid, and both pointers are for the length of the call. A time that cannot be
    // told leaves it zeroed.
    let time = unsafe {
        let mut time: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const seconds, &raw mut time);
        time
    };
    let name = |names: &[&'static str], at: i32| {
        usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or("???")
    };
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        name(&DAYS, time.tm_wday),
        name(&MONTHS, time.tm_mon),
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec,
        i64::from(time.tm_year) + 1900
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn local_times_are_those_of_date() {
        for seconds in [0, 951_782_400, 1_700_000_000, 4_102_444_799] {
            let text = local_time_text(Duration::from_secs(seconds));
            let date = Command::new("date")
                .args(["-d", &format!("@{seconds}"), "+%a %b %e %H:%M:%S %Y"])
                .env("LC_ALL", "C")
                .output()
                .unwrap();
            assert_eq!(text, String::from_utf8_lossy(&date.stdout).trim_end());
        }
    }
}
