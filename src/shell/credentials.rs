//! Who asks: a user with a password, the bearer of a token, or nobody.
//!
//! Promises that secrets come from the environment, from files or from a terminal, and appear in no message.

use std::{ffi::OsString, fmt, fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::header::HeaderValue;
use zeroize::Zeroizing;

use super::{failure::Failure, prompt};

/// The longest secret in a file, in bytes; the head of a request has room for no more.
const MAX_SECRET: u64 = 64 * 1024;

/// What is known about the caller.
pub(super) enum Credentials {
    /// Nothing: the database may need nothing.
    Nobody,
    /// A user whose password is to be asked for.
    User(String),
    /// What `Authorization` says.
    Complete(HeaderValue),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// What `--user` and the environment, which `variable` reads, say.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they contradict each other or cannot be used.
    pub(super) fn given(user: Option<String>, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let user_flag = user.is_some();
        let mut password = secret(&variable, "BOLTGATE_PASSWORD", "BOLTGATE_PASSWORD_FILE")?;
        let user = match user {
            Some(user) => Some(user),
            None => match (text(&variable, "BOLTGATE_USER")?, &password) {
                // Both in one, as curl takes it.
                (Some(both), None) if both.contains(':') => both.split_once(':').map(|(user, secret)| {
                    password = Some(Zeroizing::new(secret.to_owned()));
                    user.to_owned()
                }),
                (user, _) => user.map(|user| user.to_string()),
            },
        };
        // Naming a user means that the token in the environment is not to be used.
        let token = if user_flag { None } else { secret(&variable, "BOLTGATE_TOKEN", "BOLTGATE_TOKEN_FILE")? };
        match (user, password, token) {
            (Some(_), _, Some(_)) | (None, Some(_), Some(_)) => Err(Failure::Usage(
                "the environment has both a token (BOLTGATE_TOKEN) and a user (BOLTGATE_USER, BOLTGATE_PASSWORD); unset \
                 one of them"
                    .to_owned(),
            )),
            (None, Some(_), None) => Err(Failure::Usage(
                "BOLTGATE_PASSWORD is set, but there is no user; name one with --user or BOLTGATE_USER".to_owned(),
            )),
            (Some(user), Some(password), None) => basic(&user, &password),
            (Some(user), None, None) => Ok(Self::User(user)),
            (None, None, Some(token)) => complete(&format!("Bearer {}", token.as_str()), "the token (BOLTGATE_TOKEN)"),
            (None, None, None) => Ok(Self::Nobody),
        }
    }

    /// The value of `Authorization`, after asking for the password if none is given.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is no terminal to ask on, or nothing was typed.
    pub(super) async fn authorization(self, target: &str) -> Result<Option<HeaderValue>, Failure> {
        match self {
            Self::Nobody => Ok(None),
            Self::Complete(value) => Ok(Some(value)),
            Self::User(user) if prompt::is_possible() => Self::asked(user, target).await.map(Some),
            Self::User(user) => Err(Failure::Usage(format!(
                "there is no password for {user}, and no terminal to ask for it; set BOLTGATE_PASSWORD, or \
                 BOLTGATE_PASSWORD_FILE to the name of a file"
            ))),
        }
    }

    /// Asks for user and password.
    ///
    /// # Errors
    /// As [`Credentials::authorization`].
    pub(super) async fn ask(target: &str) -> Result<HeaderValue, Failure> {
        let user = prompt::ask(&format!("User for {target}: "), true).await?;
        Self::asked(user.to_string(), target).await
    }

    async fn asked(user: String, target: &str) -> Result<HeaderValue, Failure> {
        let password = prompt::ask(&format!("Password of {user} for {target}: "), false).await?;
        match basic(&user, &password)? {
            Self::Complete(value) => Ok(value),
            Self::Nobody | Self::User(_) => unreachable!("a user and a password are complete"),
        }
    }
}

fn basic(user: &str, password: &str) -> Result<Credentials, Failure> {
    if user.contains(':') {
        // Not repeated, since what follows the colon may be a password.
        return Err(Failure::Usage("the name of the user has a colon, which HTTP cannot carry".to_owned()));
    }
    let pair = Zeroizing::new(format!("{user}:{password}"));
    complete(&format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())), "the password")
}

fn complete(text: &str, what: &str) -> Result<Credentials, Failure> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| Failure::Usage(format!("{what} has characters that HTTP cannot carry")))?;
    value.set_sensitive(true);
    Ok(Credentials::Complete(value))
}

/// A secret that one of two variables gives: itself, or the name of a file that holds it.
fn secret(
    variable: &impl Fn(&str) -> Option<OsString>,
    itself: &str,
    file: &str,
) -> Result<Option<Zeroizing<String>>, Failure> {
    match (text(variable, itself)?, variable(file).filter(|path| !path.is_empty()).map(PathBuf::from)) {
        (Some(_), Some(_)) => Err(Failure::Usage(format!("both {itself} and {file} are set; unset one of them"))),
        (secret, None) => Ok(secret),
        (None, Some(path)) => {
            let is_short = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_SECRET);
            let secret = match is_short {
                false if path.exists() => Err(std::io::Error::other("it is longer than 64 KiB")),
                _ => fs::read_to_string(&path).map(Zeroizing::new),
            };
            let cannot = |error| Failure::Usage(format!("{file}: cannot read {}: {error}", path.display()));
            let secret = secret.map_err(cannot)?;
            let line = secret.strip_suffix('\n').unwrap_or(&secret);
            Ok(Some(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())))
        }
    }
}

/// The value of a variable; an empty one counts as none.
fn text(variable: &impl Fn(&str) -> Option<OsString>, name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let value = variable(name).filter(|value| !value.is_empty());
    let text = value.map(|value| value.into_string().map(Zeroizing::new)).transpose();
    text.map_err(|_| Failure::Usage(format!("{name} is not text in UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(user: Option<&str>, environment: &[(&str, &str)]) -> Result<Credentials, String> {
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Credentials::given(user.map(str::to_owned), variable).map_err(|failure| failure.to_string())
    }

    fn header(user: Option<&str>, environment: &[(&str, &str)]) -> String {
        match given(user, environment) {
            Ok(Credentials::Complete(value)) => {
                assert!(value.is_sensitive());
                value.to_str().expect("is ASCII").to_owned()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_environment_and_files_give_credentials() {
        let alice = "Basic YWxpY2U6c2VjcmV0"; // alice:secret
        assert_eq!(header(Some("alice"), &[("BOLTGATE_PASSWORD", "secret")]), alice);
        assert_eq!(header(None, &[("BOLTGATE_USER", "alice"), ("BOLTGATE_PASSWORD", "secret")]), alice);
        assert_eq!(header(None, &[("BOLTGATE_USER", "alice:secret")]), alice);
        assert_eq!(header(None, &[("BOLTGATE_TOKEN", "a.b.c")]), "Bearer a.b.c");
        let file = tempfile::NamedTempFile::new().expect("there is room for a file");
        fs::write(file.path(), "secret\r\n").expect("there is room for a file");
        let path = file.path().to_str().expect("is text");
        assert_eq!(header(Some("alice"), &[("BOLTGATE_PASSWORD_FILE", path)]), alice);
        assert_eq!(header(None, &[("BOLTGATE_TOKEN_FILE", path)]), "Bearer secret");
        // A flag wins over the token of the environment.
        assert_eq!(header(Some("alice"), &[("BOLTGATE_PASSWORD", "secret"), ("BOLTGATE_TOKEN", "t")]), alice);
        assert!(matches!(given(None, &[("BOLTGATE_PASSWORD", "")]), Ok(Credentials::Nobody)));
        assert!(matches!(given(Some("alice"), &[]), Ok(Credentials::User(user)) if user == "alice"));
    }

    #[test]
    fn contradictions_are_refused_without_the_secret() {
        for (user, environment, said) in [
            (None, &[("BOLTGATE_PASSWORD", "s3cret")][..], "there is no user"),
            (None, &[("BOLTGATE_USER", "a"), ("BOLTGATE_TOKEN", "s3cret")], "unset one of them"),
            (Some("a"), &[("BOLTGATE_PASSWORD", "s3cret"), ("BOLTGATE_PASSWORD_FILE", "f")], "unset one of them"),
            (Some("a:s3cret"), &[("BOLTGATE_PASSWORD", "s3cret")], "has a colon"),
            (None, &[("BOLTGATE_USER", "a:s3cret"), ("BOLTGATE_PASSWORD", "x")], "has a colon"),
            (None, &[("BOLTGATE_TOKEN", "s3cret\n")], "has characters that HTTP cannot carry"),
            (Some("a"), &[("BOLTGATE_PASSWORD_FILE", "/nowhere")], "BOLTGATE_PASSWORD_FILE: cannot read /nowhere: "),
        ] {
            let refused = given(user, environment).expect_err(said);
            assert!(refused.contains(said) && !refused.contains("s3cret"), "{refused}");
        }
    }
}
