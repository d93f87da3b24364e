use super::error::{Problem, WhereError};
use super::token::{Kind, Token, Tokens};

/// Longest expression, in octets.
pub(super) const MAX_OCTETS: usize = 65_536;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 64;

/// A parsed expression.
#[derive(Debug)]
pub(super) enum Expression<'e> {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Test(Test<'e>),
}

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Exists,
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Under,
    StartsWith,
    EndsWith,
    Contains,
    Match,
}

/// A subject, an operator and values.
#[derive(Debug)]
pub(super) struct Test<'e> {
    /// Name of the subject, without `message.`.
    pub(super) name: &'e str,
    /// The subject as written.
    pub(super) subject: Token<'e>,
    /// Only a field can be meant.
    pub(super) is_field: bool,
    /// Every value has to hold, not just one.
    pub(super) every: bool,
    pub(super) operator: Operator,
    /// The operator as written, `not` excluded.
    pub(super) operator_token: Token<'e>,
    /// The opposite of the operator is meant.
    pub(super) negated: bool,
    /// One item but for lists; none for `exists`.
    pub(super) items: Vec<Item<'e>>,
}

/// A value, or two as the ends of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'e> {
    pub(super) value: Token<'e>,
    pub(super) range_end: Option<Token<'e>>,
}

const WORD_OPERATORS: [(&str, Operator); 5] = [
    ("in", Operator::In),
    ("under", Operator::Under),
    ("startswith", Operator::StartsWith),
    ("endswith", Operator::EndsWith),
    ("contains", Operator::Contains),
];

/// Parses an expression.
pub(super) fn parse(expression: &str) -> Result<Expression<'_>, WhereError> {
    if expression.len() > MAX_OCTETS {
        return Err(WhereError::new(Problem::TooLong(MAX_OCTETS), 0));
    }
    let mut tokens = Tokens::new(expression);
    let next = tokens.next()?;
    let last = Token { kind: Kind::End, text: "", start: 0, end: 0 };
    let mut parser = Parser { expression, tokens, last, next, depth: 0 };
    let parsed = parser.any()?;
    match parser.next.kind {
        Kind::End => Ok(parsed),
        _ => Err(parser.unexpected("'and' or 'or'")),
    }
}

struct Parser<'e> {
    expression: &'e str,
    tokens: Tokens<'e>,
    last: Token<'e>,
    next: Token<'e>,
    depth: usize,
}

impl<'e> Parser<'e> {
    fn advance(&mut self) -> Result<Token<'e>, WhereError> {
        self.last = self.next;
        self.next = self.tokens.next()?;
        Ok(self.last)
    }

    fn take(&mut self, kind: Kind) -> Result<bool, WhereError> {
        let found = self.next.kind == kind;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn take_word(&mut self, word: &str) -> Result<bool, WhereError> {
        let found = self.next.is_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn written(&self, token: Token<'e>) -> String {
        self.expression.get(token.start..token.end).unwrap_or_default().to_owned()
    }

    /// Something is missing behind the last token.
    #[cold]
    fn expected(&self, what: &'static str) -> WhereError {
        WhereError::new(Problem::Expected(what, self.written(self.last)), self.next.start)
    }

    /// Something is missing before the next token, or at the end.
    #[cold]
    fn unexpected(&self, what: &'static str) -> WhereError {
        if self.next.kind == Kind::End {
            return self.expected(what);
        }
        WhereError::new(Problem::Unexpected(what, self.written(self.next)), self.next.start)
    }

    fn any(&mut self) -> Result<Expression<'e>, WhereError> {
        let mut terms = vec![self.all()?];
        while self.take(Kind::Or)? || self.take_word("or")? {
            terms.push(self.all()?);
        }
        Ok(if terms.len() > 1 { Expression::Any(terms) } else { terms.swap_remove(0) })
    }

    fn all(&mut self) -> Result<Expression<'e>, WhereError> {
        let mut terms = vec![self.term()?];
        while self.take(Kind::And)? || self.take_word("and")? {
            terms.push(self.term()?);
        }
        Ok(if terms.len() > 1 { Expression::All(terms) } else { terms.swap_remove(0) })
    }

    fn term(&mut self) -> Result<Expression<'e>, WhereError> {
        let mut negated = false;
        while self.take(Kind::Not)? || self.take_word("not")? {
            negated = !negated;
        }
        let term = if self.next.kind == Kind::Open { self.group()? } else { self.test()? };
        Ok(if negated { Expression::Not(Box::new(term)) } else { term })
    }

    fn group(&mut self) -> Result<Expression<'e>, WhereError> {
        let open = self.advance()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(WhereError::new(Problem::TooDeep(MAX_DEPTH), open.start));
        }
        let inner = self.any()?;
        self.depth -= 1;
        if self.take(Kind::Close)? { Ok(inner) } else { Err(self.unexpected("')'")) }
    }

    fn test(&mut self) -> Result<Expression<'e>, WhereError> {
        let first = self.subject("a condition")?;
        let call = self.next.kind == Kind::Open;
        if call && first.is_word("exists") {
            let subject = self.argument()?;
            return Ok(Expression::Test(Test {
                operator: Operator::Exists,
                operator_token: first,
                ..blank_test(subject, false)
            }));
        }
        let every = call && first.is_word("all");
        let subject = if every { self.argument()? } else { first };
        let mut test = blank_test(subject, every);
        let word_negated = self.take_word("not")?;
        let (operator, negated) = match self.next.kind {
            Kind::Word => {
                let word = WORD_OPERATORS.iter().find(|(word, _)| self.next.is_word(word));
                let Some((_, operator)) = word else {
                    return Err(self.unexpected("an operator"));
                };
                (*operator, word_negated)
            }
            _ if word_negated => return Err(self.unexpected("'in' or another word")),
            Kind::Equal => (Operator::Equal, false),
            Kind::NotEqual => (Operator::Equal, true),
            Kind::Less => (Operator::Less, false),
            Kind::LessEqual => (Operator::LessEqual, false),
            Kind::Greater => (Operator::Greater, false),
            Kind::GreaterEqual => (Operator::GreaterEqual, false),
            Kind::Match => (Operator::Match, false),
            Kind::NotMatch => (Operator::Match, true),
            _ => return Err(self.unexpected("an operator")),
        };
        test.operator_token = self.advance()?;
        (test.operator, test.negated) = (operator, negated);
        test.items = self.items(operator)?;
        Ok(Expression::Test(test))
    }

    fn items(&mut self, operator: Operator) -> Result<Vec<Item<'e>>, WhereError> {
        let list = matches!(operator, Operator::In | Operator::Under);
        if !list || self.next.kind != Kind::Open {
            return Ok(vec![self.item(operator)?]);
        }
        self.advance()?;
        let mut items = vec![self.item(operator)?];
        while self.take(Kind::Comma)? {
            items.push(self.item(operator)?);
        }
        if self.take(Kind::Close)? { Ok(items) } else { Err(self.unexpected("',' or ')'")) }
    }

    fn item(&mut self, operator: Operator) -> Result<Item<'e>, WhereError> {
        let value = self.value()?;
        let range = operator == Operator::In && self.take(Kind::Range)?;
        Ok(Item { value, range_end: if range { Some(self.value()?) } else { None } })
    }

    fn value(&mut self) -> Result<Token<'e>, WhereError> {
        match self.next.kind {
            Kind::Word | Kind::Quoted => self.advance(),
            _ => Err(self.expected("a value")),
        }
    }

    fn subject(&mut self, what: &'static str) -> Result<Token<'e>, WhereError> {
        let connects = self.next.is_word("and") || self.next.is_word("or");
        match self.next.kind {
            Kind::Word if !connects => self.advance(),
            _ => Err(self.expected(what)),
        }
    }

    /// The name in parentheses behind `exists` or `all`.
    fn argument(&mut self) -> Result<Token<'e>, WhereError> {
        self.advance()?;
        let subject = self.subject("a name")?;
        if self.take(Kind::Close)? { Ok(subject) } else { Err(self.unexpected("')'")) }
    }
}

fn blank_test(subject: Token<'_>, every: bool) -> Test<'_> {
    let field = subject.text.strip_prefix("message.");
    Test {
        name: field.unwrap_or(subject.text),
        subject,
        is_field: field.is_some(),
        every,
        operator: Operator::Exists,
        operator_token: subject,
        negated: false,
        items: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The structure with every test as its subject, operator and values.
    fn shape(expression: &Expression<'_>) -> String {
        let list = |terms: &[Expression<'_>], joint: &str| {
            let terms: Vec<String> = terms.iter().map(shape).collect();
            format!("({})", terms.join(joint))
        };
        match expression {
            Expression::Any(terms) => list(terms, " | "),
            Expression::All(terms) => list(terms, " & "),
            Expression::Not(term) => format!("!{}", shape(term)),
            Expression::Test(test) => {
                let items = test.items.iter().map(|item| match item.range_end {
                    Some(end) => format!("{}..{}", item.value.text, end.text),
                    None => item.value.text.to_owned(),
                });
                let items: Vec<String> = items.collect();
                let field = if test.is_field { "." } else { "" };
                let every = if test.every { "*" } else { "" };
                let not = if test.negated { "!" } else { "" };
                let Test { name, operator, .. } = test;
                format!("{field}{name}{every}{not}{operator:?}[{}]", items.join(","))
            }
        }
    }

    #[test]
    fn operators_bind_not_before_and_before_or() {
        for (expression, want) in [
            ("a=1", "aEqual[1]"),
            ("a=1 or b=2 and not c=3", "(aEqual[1] | (bEqual[2] & !cEqual[3]))"),
            ("(a=1||b=2)&&!c=3", "((aEqual[1] | bEqual[2]) & !cEqual[3])"),
            ("not not a=1", "aEqual[1]"),
            ("! not ! a=1", "!aEqual[1]"),
            ("NOT a=1 AND b=2 OR c=3", "((!aEqual[1] & bEqual[2]) | cEqual[3])"),
            ("a in (1, 2..3 ,'4')", "aIn[1,2..3,4]"),
            ("a in 1..2", "aIn[1..2]"),
            ("a not in 10.0.0.0/8", "a!In[10.0.0.0/8]"),
            ("a under in", "aUnder[in]"),
            ("a NOT under (b.c, d.)", "a!Under[b.c,d.]"),
            ("a != and", "a!Equal[and]"),
            ("a !~ 'x y'", "a!Match[x y]"),
            ("exists(message.time)", ".timeExists[]"),
            ("all(a) >= -5", "a*GreaterEqual[-5]"),
            ("all = 1", "allEqual[1]"),
            ("message = 1", "messageEqual[1]"),
            ("message.message contains x", ".messageContains[x]"),
        ] {
            assert_eq!(shape(&parse(expression).unwrap()), want, "{expression}");
        }
    }

    #[test]
    fn what_does_not_parse_says_what_is_expected_and_where() {
        for (expression, want) in [
            ("", "expected a condition (column 1)"),
            ("  ", "expected a condition (column 3)"),
            ("response_ip=", "expected a value after '=' (column 13)"),
            ("rcode = )", "expected a value after '=' (column 9)"),
            ("a", "expected an operator after 'a' (column 2)"),
            ("a b", "expected an operator before 'b' (column 3)"),
            ("a not = 1", "expected 'in' or another word before '=' (column 7)"),
            ("a not", "expected 'in' or another word after 'not' (column 6)"),
            ("a = 1 and", "expected a condition after 'and' (column 10)"),
            ("a = 1 and or b = 2", "expected a condition after 'and' (column 11)"),
            ("a = 1 b = 2", "expected 'and' or 'or' before 'b' (column 7)"),
            ("a = 1)", "expected 'and' or 'or' before ')' (column 6)"),
            ("(a = 1", "expected ')' after '1' (column 7)"),
            ("(a = 1 b", "expected ')' before 'b' (column 8)"),
            ("()", "expected a condition after '(' (column 2)"),
            ("not", "expected a condition after 'not' (column 4)"),
            ("'a' = 1", "expected a condition (column 1)"),
            ("a in (", "expected a value after '(' (column 7)"),
            ("a in (1", "expected ',' or ')' after '1' (column 8)"),
            ("a in (1 2)", "expected ',' or ')' before '2' (column 9)"),
            ("a in (1,)", "expected a value after ',' (column 9)"),
            ("a in 1..", "expected a value after '..' (column 9)"),
            ("a = 1..2", "expected 'and' or 'or' before '..' (column 6)"),
            ("exists(", "expected a name after '(' (column 8)"),
            ("exists(a", "expected ')' after 'a' (column 9)"),
            ("all(a) and", "expected an operator before 'and' (column 8)"),
            ("a = \"b", "the text that starts here has no closing \" (column 5)"),
        ] {
            let error = parse(expression).unwrap_err().within(expression);
            assert_eq!(error.to_string(), want, "{expression}");
        }
    }

    #[test]
    fn length_and_depth_are_limited() {
        let nested = |depth| format!("{}a=1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        let deep = nested(MAX_DEPTH + 1);
        let error = parse(&deep).unwrap_err().within(&deep);
        assert_eq!(error.to_string(), "nested deeper than 64 levels (column 65)");
        let not = format!("{}a=1", "not ".repeat(10_000));
        assert_eq!(shape(&parse(&not).unwrap()), "aEqual[1]");
        let long = format!("a={}", "1".repeat(MAX_OCTETS - 2));
        assert!(parse(&long).is_ok());
        let error = parse(&format!("{long}1")).unwrap_err().within(&long);
        assert_eq!(error.to_string(), "the expression has more than 65536 octets (column 1)");
    }
}
