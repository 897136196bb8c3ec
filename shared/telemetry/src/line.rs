//! One line of JSON per event: what happened, and in which request.
//!
//! The fields of the spans around an event stand beside its own; the nearest wins. Text that may come from outside is
//! bounded.

use std::{fmt, io::Write as _};

use serde::ser::SerializeMap as _;
use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::Context,
    registry::LookupSpan,
};

use crate::VERSION;

/// Longest text of a field, in bytes.
const MAX_TEXT_BYTES: usize = 4_096;
/// What spans say to the tracing layer alone.
const FOR_TRACES: &str = "otel.";

/// Writes lines.
pub(crate) struct Lines<W> {
    service: &'static str,
    writer: W,
}

impl<W> Lines<W> {
    pub(crate) fn new(service: &'static str, writer: W) -> Self {
        Self { service, writer }
    }
}

#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn put(&mut self, name: &'static str, value: Value) {
        if name.starts_with(FOR_TRACES) {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }

    fn text(&mut self, field: &Field, mut text: String) {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        self.put(field.name(), Value::String(text));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(Fields(of_span)) = span.extensions().get::<Fields>() {
                for (name, value) in of_span {
                    fields.put(name, value.clone());
                }
            }
        }
        event.record(&mut fields);
        if let Ok(line) = self.line(event, &fields) {
            let _ = self.writer.make_writer().write_all(&line);
        }
    }
}

impl<W> Lines<W> {
    fn line(&self, event: &Event<'_>, Fields(fields): &Fields) -> serde_json::Result<Vec<u8>> {
        let mut at = String::new();
        let _ = SystemTime.format_time(&mut Writer::new(&mut at));
        let metadata = event.metadata();
        let mut line = Vec::with_capacity(512);
        let mut serializer = serde_json::Serializer::new(&mut line);
        let mut map = serde::Serializer::serialize_map(&mut serializer, None)?;
        map.serialize_entry("ts", &at)?;
        map.serialize_entry("level", metadata.level().as_str())?;
        map.serialize_entry("target", metadata.target())?;
        for (name, value) in fields.iter().filter(|(name, _)| *name == "message") {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("service", self.service)?;
        map.serialize_entry("version", VERSION)?;
        for (name, value) in fields.iter().filter(|(name, _)| *name != "message") {
            map.serialize_entry(name, value)?;
        }
        map.end()?;
        line.push(b'\n');
        Ok(line)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `act` writes under `directives`.
    pub(crate) fn lines_with(directives: &str, act: impl FnOnce()) -> Vec<Value> {
        let memory = Memory::default();
        let writer = memory.clone();
        let filter = crate::filter::tests::control(directives);
        let layer = Lines::new("auth-api", move || writer.clone()).with_filter(filter);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let bytes = memory.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_tells_of_the_request_that_it_belongs_to() {
        let lines = lines_with("info", || {
            let request = tracing::info_span!(
                "request",
                request_id = "r",
                status = tracing::field::Empty,
                otel.kind = "server"
            );
            request.record("status", 200);
            let _request = request.enter();
            let _statement = tracing::info_span!("statement", session = "s").entered();
            tracing::info!(status = 201, long = "é".repeat(4_000), "answered");
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["message"], "answered");
        assert_eq!((&line["request_id"], &line["session"]), (&"r".into(), &"s".into()));
        assert_eq!(line["status"], 201, "the nearest wins");
        assert!(line.get("otel.kind").is_none());
        assert_eq!(line["long"].as_str().unwrap().len(), MAX_TEXT_BYTES);
        assert_eq!((&line["service"], &line["level"]), (&"auth-api".into(), &"INFO".into()));
    }
}
