//! How a program that changes the user asks for a password.

/// `Password` as su asks for it in its translations, in lower case.
const TRANSLATED: &[&str] = &[
    "password",
    "adgangskode",
    "contraseña",
    "contrasenya",
    "fjalëkalimi",
    "hasło",
    "heslo",
    "jelszó",
    "lozinka",
    "lösenord",
    "mot de passe",
    "mật khẩu",
    "parola",
    "parole",
    "parool",
    "pasahitza",
    "pasfhocal",
    "passord",
    "passwort",
    "salasana",
    "sandi",
    "senha",
    "slaptažodis",
    "wachtwoord",
    "συνθηματικό",
    "лозинка",
    "парола",
    "пароль",
    "סיסמה",
    "ססמה",
    "كلمة السر",
    "पासवर्ड",
    "गुप्तशब्द",
    "शब्दकूट",
    "హస్తాక్షరము",
    "సంకేతపదము",
    "รหัสผ่าน",
    "암호",
    "パスワード",
    "口令",
    "密码",
    "密碼",
];

/// What follows each of them: a colon, also that of East Asian scripts.
const COLONS: [char; 2] = [':', '：'];

/// What a program asks with.
pub(super) enum Prompt {
    /// Words that it was given, which nothing else prints.
    Own(String),
    /// One of these words, in lower case, before a colon.
    Words(Vec<String>),
}

impl Prompt {
    /// su's: these, or those of its translations where there are none.
    pub(super) fn of_su(named: &[String]) -> Self {
        match named {
            [] => Self::Words(TRANSLATED.iter().map(|word| (*word).to_owned()).collect()),
            named => Self::Words(named.iter().map(|word| word.to_lowercase()).collect()),
        }
    }

    /// Whether what was said ends in it.
    pub(super) fn ends(&self, said: &str) -> bool {
        match self {
            Self::Own(prompt) => said.ends_with(prompt.as_str()),
            // What is not a prompt may end in a colon too, where it comes in parts.
            Self::Words(_) => {
                let last = said.rsplit('\n').next().unwrap_or_default();
                let before = last.trim_end().strip_suffix(COLONS);
                before.is_some_and(|before| self.is_before_colon(before))
            }
        }
    }

    /// A line without it: the program's own words follow on the same line, where nothing is echoed.
    pub(super) fn stripped(&self, line: &str) -> String {
        match self {
            Self::Own(prompt) => line.replace(prompt, ""),
            Self::Words(_) => {
                let mut colons = line.match_indices(COLONS);
                let end = colons.find(|(at, _)| self.is_before_colon(&line[..*at]));
                end.map_or(line, |(at, colon)| &line[at + colon.len()..])
                    .to_owned()
            }
        }
    }

    fn is_before_colon(&self, text: &str) -> bool {
        let text = text.trim_end().to_lowercase();
        match self {
            Self::Own(_) => false,
            Self::Words(words) => words.iter().any(|word| text.ends_with(word.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn su_asks_in_the_language_of_its_host() {
        let su = Prompt::of_su(&[]);
        for prompt in [
            "Password: ",
            "Mot de passe : ",
            "Пароль: ",
            "密码：",
            "web's Passwort:",
        ] {
            assert!(su.ends(prompt), "{prompt}");
        }
        assert!(!su.ends("sh: 1: exec:"));
        assert!(!su.ends("Password"), "half of it");
    }

    #[test]
    fn named_prompts_stand_in_place_of_the_translations() {
        let su = Prompt::of_su(&["Kodeord".to_owned()]);
        assert!(su.ends("kodeord: "));
        assert!(!su.ends("Password: "));
    }

    #[test]
    fn what_follows_a_prompt_is_what_the_program_says() {
        let su = Prompt::of_su(&[]);
        let said = su.stripped("Password: su: Authentication failure");
        assert_eq!(said.trim(), "su: Authentication failure");
        assert_eq!(su.stripped("su: user x: no"), "su: user x: no");
    }
}
