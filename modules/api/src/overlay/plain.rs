//! The plan's odd values as plain data: paths that are no text, times before 1970, maps whose keys
//! are no text.

/// Paths, with whatever bytes.
pub(super) mod path {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A path, or one that may be missing.
    pub(in super::super) trait Paths: Clone {
        type Plain: Serialize + for<'de> Deserialize<'de>;
        fn plain(self) -> Self::Plain;
        fn back(plain: Self::Plain) -> Self;
    }

    impl Paths for PathBuf {
        type Plain = OsString;
        fn plain(self) -> OsString {
            self.into_os_string()
        }
        fn back(plain: OsString) -> Self {
            plain.into()
        }
    }

    impl Paths for Option<PathBuf> {
        type Plain = Option<OsString>;
        fn plain(self) -> Option<OsString> {
            self.map(PathBuf::into_os_string)
        }
        fn back(plain: Option<OsString>) -> Self {
            plain.map(PathBuf::from)
        }
    }

    pub(in super::super) fn serialize<P: Paths, S: Serializer>(
        path: &P,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        path.clone().plain().serialize(out)
    }

    pub(in super::super) fn deserialize<'de, P: Paths, D: Deserializer<'de>>(
        from: D,
    ) -> Result<P, D::Error> {
        P::Plain::deserialize(from).map(P::back)
    }
}

/// Times, as seconds since 1970 (negative before) and nanoseconds in the same direction.
pub(super) mod time {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        time: &SystemTime,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let (after, distance) = match time.duration_since(UNIX_EPOCH) {
            Ok(distance) => (true, distance),
            Err(e) => (false, e.duration()),
        };
        (after, distance).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SystemTime, D::Error> {
        let (after, distance) = <(bool, Duration)>::deserialize(from)?;
        let time = if after {
            UNIX_EPOCH.checked_add(distance)
        } else {
            UNIX_EPOCH.checked_sub(distance)
        };
        Ok(time.unwrap_or(UNIX_EPOCH))
    }
}

/// Entries by path.
pub(super) mod files {
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, OsString};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::overlay::plan::Entry;

    type Files = BTreeMap<PathBuf, Entry>;

    pub(in super::super) fn serialize<S: Serializer>(
        files: &Files,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let pairs = files
            .iter()
            .map(|(path, entry)| (Path::as_os_str(path), entry));
        pairs.collect::<Vec<(&OsStr, &Entry)>>().serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Files, D::Error> {
        let pairs = Vec::<(OsString, Entry)>::deserialize(from)?;
        Ok(pairs
            .into_iter()
            .map(|(path, entry)| (path.into(), entry))
            .collect())
    }
}

/// States by target.
pub(super) mod things {
    use std::collections::BTreeMap;

    use rplay_wire::{State, Target};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Things = BTreeMap<Target, Option<State>>;

    pub(in super::super) fn serialize<S: Serializer>(
        things: &Things,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        things.iter().collect::<Vec<_>>().serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Things, D::Error> {
        Vec::<(Target, Option<State>)>::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}
