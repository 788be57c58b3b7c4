//! The encodings of the files that a search looks into, by the names that Python has for them.

use std::borrow::Cow;
use std::path::Path;

use encoding_rs::Encoding;

/// How a file's bytes become text.
pub(super) struct Decoder {
    name: String,
    encoding: Kind,
}

enum Kind {
    /// They are taken as they are: a file that is no text is looked into too.
    AsIs,
    /// They must be ASCII.
    Ascii,
    /// They must be of this encoding.
    Of(&'static Encoding),
    /// Nothing is called that.
    Unknown,
}

impl Decoder {
    pub(super) fn new(name: Option<&str>) -> Self {
        let label = name.map(|name| name.trim().to_ascii_lowercase().replace('_', "-"));
        let of = |label: &str| Encoding::for_label(label.as_bytes()).map_or(Kind::Unknown, Kind::Of);
        let encoding = match label.as_deref() {
            None => Kind::AsIs,
            Some("ascii" | "us-ascii") => Kind::Ascii,
            // As Python's codecs are called, and the standard of the web does not call them.
            Some("latin-1" | "latin") => of("latin1"),
            Some("u8") => of("utf-8"),
            Some(label) => of(label),
        };
        Self {
            name: name.unwrap_or_default().to_owned(),
            encoding,
        }
    }

    /// The text in UTF-8, or why there is none, in words.
    pub(super) fn text<'a>(&self, bytes: &'a [u8], path: &Path) -> Result<Cow<'a, [u8]>, String> {
        let text = match self.encoding {
            Kind::AsIs => return Ok(bytes.into()),
            Kind::Unknown => return Err(format!("unknown encoding: {}", self.name)),
            Kind::Ascii => bytes.is_ascii().then(|| bytes.into()),
            Kind::Of(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| match text {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => text.into_bytes().into(),
                }),
        };
        text.ok_or_else(|| {
            format!(
                "Failed to read the file {} due to an encoding error. current encoding: {}",
                path.display(),
                self.name
            )
        })
    }
}
