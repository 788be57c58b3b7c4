//! The derive of `Args`: a spec for documentation and a parser, from one struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Expr, Field, Fields, LitStr, Result, Type};

use crate::doc_text;

struct Options {
    flatten: bool,
    secret: bool,
    name: String,
    aliases: Vec<LitStr>,
    default: Option<Expr>,
}

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(
            input,
            "Args is derived for structs",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(input, "Args needs named fields"));
    };
    let ty = &input.ident;
    let (generics, ty_generics, bounds) = input.generics.split_for_impl();
    let specs = fields.named.iter().map(spec).collect::<Result<Vec<_>>>()?;
    let parses = fields.named.iter().map(parse).collect::<Result<Vec<_>>>()?;
    Ok(quote! {
        impl #generics ::rplay_api::Args for #ty #ty_generics #bounds {
            fn spec() -> ::std::vec::Vec<::rplay_api::ArgSpec> {
                let mut spec = ::std::vec::Vec::new();
                #(#specs)*
                spec
            }
            fn read(
                reader: &::rplay_api::ArgReader<'_>,
            ) -> ::core::result::Result<Self, ::rplay_api::ArgError> {
                Ok(Self { #(#parses),* })
            }
        }
    })
}

fn options(field: &Field) -> Result<Options> {
    let ident = field.ident.as_ref().expect("bug: fields are named");
    let name = ident.to_string();
    let mut options = Options {
        flatten: false,
        secret: false,
        name: name.strip_prefix("r#").unwrap_or(&name).to_owned(),
        aliases: vec![],
        default: None,
    };
    for attr in field.attrs.iter().filter(|a| a.path().is_ident("arg")) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                options.name = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("alias") {
                options.aliases.push(meta.value()?.parse()?);
            } else if meta.path.is_ident("default") {
                options.default = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("flatten") {
                options.flatten = true;
            } else if meta.path.is_ident("secret") {
                options.secret = true;
            } else {
                let words = "expected `name`, `alias`, `default`, `secret` or `flatten`";
                return Err(meta.error(words));
            }
            Ok(())
        })?;
    }
    Ok(options)
}

/// The type inside `Option<...>`, if it is one.
fn inner_of_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    let syn::PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match args.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

fn spec(field: &Field) -> Result<TokenStream> {
    let Options {
        flatten,
        name,
        aliases,
        default,
        secret,
    } = options(field)?;
    if flatten {
        let ty = &field.ty;
        return Ok(quote!(spec.extend(<#ty as ::rplay_api::Args>::spec());));
    }
    let doc = doc_text(&field.attrs);
    if doc.is_empty() {
        return Err(syn::Error::new_spanned(
            field,
            "an argument needs a doc comment",
        ));
    }
    let optional = inner_of_option(&field.ty);
    let ty = optional.unwrap_or(&field.ty);
    let required = optional.is_none() && default.is_none();
    let default = match &default {
        Some(expr) => {
            let text = default_text(expr);
            quote!(Some(#text))
        }
        None => quote!(None),
    };
    Ok(quote! {
        spec.push(::rplay_api::ArgSpec {
            name: #name,
            aliases: &[#(#aliases),*],
            doc: #doc,
            kind: <#ty as ::rplay_api::ArgType>::KIND,
            required: #required,
            default: #default,
            secret: #secret,
        });
    })
}

/// A default as the documentation shows it: `State::Present` is `present`.
fn default_text(expr: &Expr) -> String {
    match expr {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(s),
            ..
        }) => s.value(),
        // The suffix of a number is Rust's, not the playbook's.
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Int(number),
            ..
        }) => number.base10_digits().to_owned(),
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Float(number),
            ..
        }) => number.base10_digits().trim_end_matches(".0").to_owned(),
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .map(|s| crate::choice::snake_case(&s.ident.to_string()))
            .unwrap_or_default(),
        Expr::MethodCall(call) => default_text(&call.receiver),
        Expr::Call(call) if call.args.len() == 1 => default_text(&call.args[0]),
        Expr::Macro(list) => default_list(&list.mac),
        Expr::Call(_) => "[]".to_owned(),
        other => quote!(#other).to_string(),
    }
}

/// The items of a `vec![...]`, as JSON has them.
fn default_list(list: &syn::Macro) -> String {
    type Items = syn::punctuated::Punctuated<Expr, syn::Token![,]>;
    let items = list.parse_body_with(Items::parse_terminated);
    let shown = items.unwrap_or_default().into_iter().map(|item| {
        let text = default_text(&item);
        match text.parse::<f64>() {
            Ok(_) => text,
            Err(_) => format!("{text:?}"),
        }
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

fn parse(field: &Field) -> Result<TokenStream> {
    let ident = field.ident.as_ref().expect("bug: fields are named");
    let Options {
        flatten,
        name,
        default,
        ..
    } = options(field)?;
    if flatten {
        let ty = &field.ty;
        return Ok(quote!(#ident: <#ty as ::rplay_api::Args>::read(reader)?));
    }
    let ty = inner_of_option(&field.ty);
    Ok(match (ty, default) {
        (Some(inner), _) => quote!(#ident: reader.optional::<#inner>(#name)?),
        (None, Some(default)) => {
            let ty = &field.ty;
            quote!(#ident: match reader.optional::<#ty>(#name)? { Some(v) => v, None => ::core::convert::From::from(#default) })
        }
        (None, None) => {
            let ty = &field.ty;
            quote!(#ident: reader.required::<#ty>(#name)?)
        }
    })
}
