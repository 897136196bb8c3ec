//! What a button of a page sends: the HTML standard's form submission, as far as our pages need it.

use anyhow::{Context as _, Result, ensure};
use scraper::{ElementRef, Html, Selector};

/// A form that is about to be sent.
#[derive(Debug)]
pub struct Form {
    /// Relative to the page.
    pub action: String,
    /// Whether it is a POST, else a GET.
    pub post: bool,
    /// In the order of the page.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The form of the button with that id, with what was typed in place of what stood there.
    ///
    /// # Errors
    /// If there is no such button, or no field for what was typed.
    pub fn of_button(page: &str, button: &str, typed: &[(&str, &str)]) -> Result<Self> {
        let document = Html::parse_document(page);
        let button_id = button;
        let button = by_id(&document, button).with_context(|| format!("there is no button {button_id}"))?;
        let kind = button.attr("type").unwrap_or("submit");
        ensure!(
            button.value().name() == "button" && kind == "submit" && button.attr("disabled").is_none(),
            "{button_id} cannot be pressed"
        );
        let form = button
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|element| element.value().name() == "form");
        let form = form.with_context(|| format!("{button_id} belongs to no form"))?;
        let mut fields = controls(form)?;
        for (name, value) in typed {
            let field = fields.iter_mut().find(|(known, _)| known == name);
            let (_, old) = field.with_context(|| format!("there is no field {name}"))?;
            (*value).clone_into(old);
        }
        if let Some(name) = button.attr("name") {
            fields.push((name.to_owned(), button.attr("value").unwrap_or_default().to_owned()));
        }
        let attribute = |own: &str, name: &str| {
            button
                .attr(own)
                .or_else(|| form.attr(name))
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            action: attribute("formaction", "action"),
            post: attribute("formmethod", "method").eq_ignore_ascii_case("post"),
            fields,
        })
    }
}

/// Whether the page has an element of that id.
pub fn has_id(page: &str, id: &str) -> bool {
    by_id(&Html::parse_document(page), id).is_some()
}

fn by_id<'a>(document: &'a Html, id: &str) -> Option<ElementRef<'a>> {
    let elements = document.tree.root().descendants().filter_map(ElementRef::wrap);
    elements.into_iter().find(|element| element.attr("id") == Some(id))
}

/// Names and values of all fields but buttons.
fn controls(form: ElementRef<'_>) -> Result<Vec<(String, String)>> {
    let inputs = Selector::parse("input[name], textarea[name]").map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let control = |element: ElementRef<'_>| {
        let name = element.attr("name")?.to_owned();
        let unchecked = ["checkbox", "radio"].contains(&element.attr("type").unwrap_or_default())
            && element.attr("checked").is_none();
        let value = element
            .attr("value")
            .map_or_else(|| element.text().collect(), ToOwned::to_owned);
        (!unchecked && element.attr("disabled").is_none()).then_some((name, value))
    };
    Ok(form.select(&inputs).filter_map(control).collect())
}
