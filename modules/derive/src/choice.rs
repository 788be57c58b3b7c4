//! The derive of `Choice`: an enum of words.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, LitStr, Result};

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(
            input,
            "Choice is derived for enums",
        ));
    };
    let ty = &input.ident;
    let mut words = vec![];
    let mut arms = vec![];
    let mut names = vec![];
    for variant in &data.variants {
        let ident = &variant.ident;
        let mut word = snake_case(&ident.to_string());
        let mut aliases: Vec<LitStr> = vec![];
        for attr in variant.attrs.iter().filter(|a| a.path().is_ident("arg")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    word = meta.value()?.parse::<LitStr>()?.value();
                } else if meta.path.is_ident("alias") {
                    aliases.push(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("expected `name` or `alias`"));
                }
                Ok(())
            })?;
        }
        arms.push(quote!(#word #(| #aliases)* => Ok(Self::#ident)));
        names.push(quote!(Self::#ident => #word));
        words.push(word);
    }
    Ok(quote! {
        impl ::rplay_api::ArgType for #ty {
            const KIND: ::rplay_api::ArgKind = ::rplay_api::ArgKind::Choice(&[#(#words),*]);
            fn parse_arg(
                value: &::rplay_api::ArgValue,
            ) -> ::core::result::Result<Self, ::std::string::String> {
                match ::rplay_api::choice_word(value).as_str() {
                    #(#arms,)*
                    other => Err(::rplay_api::not_a_choice(other, &[#(#words),*])),
                }
            }
        }
        impl #ty {
            /// The word that playbooks use.
            #[allow(dead_code)]
            pub fn word(&self) -> &'static str {
                match self { #(#names),* }
            }
        }
    })
}

/// `DirectLink` as `direct_link`.
pub fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
