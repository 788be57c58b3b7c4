//! `#[derive(Args)]` and `#[derive(Choice)]`: a module's argument struct is its schema.
//!
//! ```ignore
//! #[derive(Args)]
//! struct Args {
//!     /// Where the file goes.                     // the doc comment is the documentation
//!     #[arg(alias = "dest", alias = "name")]
//!     path: PathBuf,                               // required: neither Option nor default
//!     /// Make a copy of the old file.
//!     #[arg(default = false)]
//!     backup: bool,
//!     /// Permissions.
//!     mode: Option<Mode>,
//!     /// What should be there.
//!     #[arg(name = "state", default = State::File)]
//!     wanted: State,
//! }
//! ```

mod args;
mod choice;

use proc_macro::TokenStream;

/// Derives `rplay_api::Args`; `#[arg(secret)]` keeps a value out of what results tell.
#[proc_macro_derive(Args, attributes(arg))]
pub fn derive_args(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    args::expand(&input)
        .unwrap_or_else(|e| e.to_compile_error())
        .into()
}

/// Derives `rplay_api::ArgType` for an enum of unit variants. A variant's word is its name in
/// snake case, or `#[arg(name = "...")]`; `#[arg(alias = "...")]` adds another.
#[proc_macro_derive(Choice, attributes(arg))]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    choice::expand(&input)
        .unwrap_or_else(|e| e.to_compile_error())
        .into()
}

/// The text of an item's doc comment, its lines joined as written.
fn doc_text(attrs: &[syn::Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta {
            syn::Meta::NameValue(nv) => match &nv.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(s),
                    ..
                }) => Some(s.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.trim().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}
