//! The tamper contact: a file that the device's driver or a script writes.

use std::path::PathBuf;

/// What tells that the case was opened or moved: a file that says anything but `0`, such as the
/// `value` of a GPIO line.
#[derive(Clone, Debug)]
pub(super) struct Contact(pub(super) PathBuf);

impl Contact {
    /// What was noticed, if anything was. A contact that cannot be read is no alarm by itself: it
    /// may not have been made yet.
    pub(super) fn alarm(&self) -> Option<String> {
        let text = std::fs::read(&self.0).ok()?;
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        match &*text {
            "" | "0" => None,
            "1" => Some("tamper contact".into()),
            _ => Some(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Contact;

    #[test]
    fn anything_but_zero_is_an_alarm() {
        let folder = tempfile::tempdir().unwrap();
        let contact = Contact(folder.path().join("value"));
        assert_eq!(contact.alarm(), None);
        for (content, alarm) in
            [("", None), ("0\n", None), ("1\n", Some("tamper contact")), ("lid\n", Some("lid"))]
        {
            std::fs::write(&contact.0, content).unwrap();
            assert_eq!(contact.alarm().as_deref(), alarm, "{content:?}");
        }
    }
}
