/// Octets that the head of a request may have.
pub(super) const MOST_OCTETS: usize = 8 << 10;

/// What a client asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Request {
    pub(super) page: Page,
    /// Whether the answer is wanted without its body.
    pub(super) head_only: bool,
}

/// What there is to ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Page {
    Metrics,
    Root,
}

/// Why a request is not answered with a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    NotHttp,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    TooLarge,
    BadVersion,
}

impl Refusal {
    /// The status line without the version.
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::NotHttp => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::TooSlow => "408 Request Timeout",
            Self::TooLarge => "431 Request Header Fields Too Large",
            Self::BadVersion => "505 HTTP Version Not Supported",
        }
    }
}

/// Reads a request; `None` while its head is not complete. What cannot become a request is refused as
/// soon as that shows.
pub(super) fn parse(octets: &[u8]) -> Option<Result<Request, Refusal>> {
    let line_end = octets.iter().position(|octet| *octet == b'\n');
    let line = match line_end {
        Some(end) => octets[..end].strip_suffix(b"\r").unwrap_or(&octets[..end]),
        None if !octets.iter().all(|octet| matches!(octet, b' '..=b'~' | b'\r')) => {
            return Some(Err(Refusal::NotHttp));
        }
        None if octets.len() >= MOST_OCTETS => return Some(Err(Refusal::TooLarge)),
        None => return None,
    };
    let request = parse_line(line);
    if let Err(refusal @ (Refusal::NotHttp | Refusal::BadVersion)) = request {
        return Some(Err(refusal));
    }
    let is_complete = octets.windows(2).any(|pair| pair == b"\n\n")
        || octets.windows(3).any(|three| three == b"\n\r\n");
    match is_complete {
        true => Some(request),
        false if octets.len() >= MOST_OCTETS => Some(Err(Refusal::TooLarge)),
        false => None,
    }
}

/// True when a client that has sent this gets an answer.
pub(crate) fn is_answered(octets: &[u8]) -> bool {
    parse(octets).is_some()
}

fn parse_line(line: &[u8]) -> Result<Request, Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| Refusal::NotHttp)?;
    let mut words = text.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::NotHttp);
    };
    let is_method = !method.is_empty() && method.bytes().all(|c| c.is_ascii_uppercase());
    let is_target = target.starts_with('/') && target.bytes().all(|c| c.is_ascii_graphic());
    if !is_method || !is_target || !version.starts_with("HTTP/") {
        return Err(Refusal::NotHttp);
    }
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return Err(Refusal::BadVersion);
    }
    let page = match target.split('?').next() {
        Some("/metrics") => Page::Metrics,
        Some("/") => Page::Root,
        _ => return Err(Refusal::NotFound),
    };
    match method {
        "GET" | "HEAD" => Ok(Request { page, head_only: method == "HEAD" }),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: Request = Request { page: Page::Metrics, head_only: false };

    #[test]
    fn requests_and_what_is_none() {
        let head = Request { head_only: true, ..METRICS };
        let root = Request { page: Page::Root, ..METRICS };
        for (octets, want) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Some(Ok(METRICS))),
            ("GET /metrics HTTP/1.0\r\n\r\n", Some(Ok(METRICS))),
            ("GET /metrics HTTP/1.1\n\n", Some(Ok(METRICS))),
            ("GET /metrics?name=x HTTP/1.1\r\n\r\n", Some(Ok(METRICS))),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", Some(Ok(head))),
            ("GET / HTTP/1.1\r\n\r\n", Some(Ok(root))),
            ("GET /metrics HTTP/1.1\r\n\r\nGET /", Some(Ok(METRICS))),
            ("", None),
            ("GET /met", None),
            ("GET /metrics HTTP/1.1\r", None),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n", None),
            ("GET /other HTTP/1.1\r\n\r\n", Some(Err(Refusal::NotFound))),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", Some(Err(Refusal::NotFound))),
            ("POST /metrics HTTP/1.1\r\n\r\n", Some(Err(Refusal::MethodNotAllowed))),
            ("GET /metrics HTTP/2.0\r\n", Some(Err(Refusal::BadVersion))),
            ("get /metrics HTTP/1.1\r\n", Some(Err(Refusal::NotHttp))),
            ("GET metrics HTTP/1.1\r\n", Some(Err(Refusal::NotHttp))),
            ("GET  /metrics HTTP/1.1\r\n", Some(Err(Refusal::NotHttp))),
            ("GET /metrics HTTP/1.1 x\r\n", Some(Err(Refusal::NotHttp))),
            ("GET /metrics\r\n", Some(Err(Refusal::NotHttp))),
            ("GET /m\tx HTTP/1.1\r\n", Some(Err(Refusal::NotHttp))),
            ("\r\n", Some(Err(Refusal::NotHttp))),
            ("\x16\x03\x01", Some(Err(Refusal::NotHttp))),
            ("GET /\u{e9}", Some(Err(Refusal::NotHttp))),
        ] {
            assert_eq!(parse(octets.as_bytes()), want, "{octets:?}");
        }
    }

    #[test]
    fn an_answer_that_is_due_stays_due() {
        let heads = ["GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /", "GET / HTTP/2\n", "\x16\x03"];
        for head in heads {
            let mut answered = 0;
            for end in 1..=head.len() {
                let octets = &head.as_bytes()[..end];
                crate::fuzzing::check_request(octets);
                answered += u32::from(is_answered(octets));
                for odd in [0, b'\n', b'\r', b' ', 0xff] {
                    crate::fuzzing::check_request(&[octets, &[odd]].concat());
                }
            }
            assert!(answered > 0, "{head:?}");
        }
    }

    #[test]
    fn a_request_without_end_is_too_large() {
        let line = [b'A'; MOST_OCTETS];
        assert_eq!(parse(&line[1..]), None);
        assert_eq!(parse(&line), Some(Err(Refusal::TooLarge)));
        let mut head = b"GET /metrics HTTP/1.1\r\nX: ".to_vec();
        head.resize(MOST_OCTETS, b'x');
        assert_eq!(parse(&head[..MOST_OCTETS - 1]), None);
        assert_eq!(parse(&head), Some(Err(Refusal::TooLarge)));
    }
}
