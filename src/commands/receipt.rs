//! `kiosk receipt render`: a sale as the bytes and the paper of a printer.

use crate::config::Configuration;
use crate::format::Language;
use crate::receipt::file::{self, SaleFile};
use crate::receipt::{Audience, Receipt, Seller, sale_words};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use hardware::printer::document::Document;
use hardware::printer::driver::plan::JobPlan;
use hardware::printer::encode::{Job, encode, store_logo};
use hardware::printer::profile::{LogoPlan, Profile};
use hardware::printer::sim::{Sheet, print_out};
use std::path::PathBuf;

/// Arguments of `kiosk receipt`.
#[derive(Clone, Debug, Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Make the bytes that print a sale, and show the paper.
    Render(RenderArgs),
}

/// Arguments of `kiosk receipt render`.
#[derive(Clone, Debug, Args)]
pub struct RenderArgs {
    /// The sale; docs/reference/sale-json.md describes the file.
    #[arg(long, value_name = "FILE")]
    pub sale: PathBuf,
    /// Which printer: epson-t88, xprinter-clone, tx-only, mm58.
    #[arg(long, default_value = "xprinter-clone")]
    pub profile: String,
    /// Where the bytes go.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Also draw the paper, as a printer of this model prints the bytes.
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Also write the paper as text to standard output.
    #[arg(long)]
    pub text: bool,
    /// Language of the receipt, vi or en; otherwise the sale's own.
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<String>,
    /// Mark it as copy number N (BẢN SAO).
    #[arg(long, value_name = "N")]
    pub copy: Option<u32>,
    /// The copy that the shop keeps.
    #[arg(long)]
    pub staff: bool,
    /// Take seller, notes, logo and code from a kiosk's configuration, where the sale says nothing.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

pub(super) fn run(args: &ReceiptArgs) -> Result<()> {
    let What::Render(args) = &args.what;
    let rendered = render(args)?;
    if args.text {
        for sheet in &rendered.sheets {
            print!("{}", sheet.text());
        }
    }
    eprintln!("{}", rendered.says(args)?);
    Ok(())
}

/// A receipt, ready to be looked at.
#[derive(Debug)]
pub struct Rendered {
    /// What goes to the printer.
    pub job: Job,
    /// What comes out.
    pub sheets: Vec<Sheet>,
    profile: Profile,
}

impl Rendered {
    /// Size, paper and time, in one line.
    fn says(&self, args: &RenderArgs) -> Result<String> {
        let bytes = self.job.bytes().len();
        let plan = JobPlan::read(self.job.bytes().to_vec(), &self.profile)?;
        let seconds = |baud: u32| format!("{:.2}", bytes as f64 * 10.0 / f64::from(baud));
        Ok(format!(
            "{}: {bytes} bytes for {}, {} mm of paper; {} s at 9600, {} s at 19200, {} s at 115200 baud",
            args.out.display(),
            self.profile.name,
            self.profile.dots_to_mm(plan.height_dots()),
            seconds(9_600),
            seconds(19_200),
            seconds(115_200)
        ))
    }
}

/// Does everything but the talking.
///
/// # Errors
/// What is wrong with a file or option, in words for a person.
pub fn render(args: &RenderArgs) -> Result<Rendered> {
    let profile = super::print::here(&args.profile)?;
    let config = args
        .config
        .as_deref()
        .map(crate::config::load)
        .transpose()?;
    let text = std::fs::read_to_string(&args.sale)
        .with_context(|| format!("--sale {}: cannot be read", args.sale.display()))?;
    let file = file::read(&text).with_context(|| format!("--sale {}", args.sale.display()))?;
    let document = compose(args, &file, config.as_ref())?;
    let job = encode(&document, &profile)?;
    std::fs::write(&args.out, job.bytes())
        .with_context(|| format!("--out {}: cannot be written", args.out.display()))?;
    let sheets = paper(&job, config.as_ref(), &profile)?;
    if let Some(path) = &args.png {
        // A receipt is one sheet; more can only come from a document with cuts in it.
        let sheet = sheets.last().context("the receipt is empty")?;
        sheet
            .write_png(path)
            .with_context(|| format!("--png {}: cannot be written", path.display()))?;
    }
    Ok(Rendered {
        job,
        sheets,
        profile,
    })
}

fn compose(args: &RenderArgs, file: &SaleFile, config: Option<&Configuration>) -> Result<Document> {
    let mut sale = file.sale.clone();
    if let Some(code) = &args.lang {
        if Language::from_code(code).is_none() {
            bail!("--lang {code}: there is no such language; write vi or en");
        }
        sale.lang.0.clone_from(code);
    }
    let language = Language::from_code(&sale.lang.0).unwrap_or(Language::Vietnamese);
    let mut receipt = match (config, &file.seller) {
        (Some(config), _) => Receipt::of(config, &sale),
        (None, Some(seller)) => {
            let mut receipt = Receipt::new(seller.clone(), &sale, language);
            receipt.code = sale_words(&seller.tax_code, &sale);
            receipt
        }
        (None, None) => bail!(
            "--sale {}: it does not say who sells. Add \"shop\" to it, or give --config FILE",
            args.sale.display()
        ),
    };
    if let Some(seller) = &file.seller {
        receipt.seller = Seller::clone(seller);
    }
    if let Some(code) = &file.code {
        receipt.set_page(code.clone());
    }
    if !file.notes.is_empty() {
        receipt.notes.clone_from(&file.notes);
    }
    receipt.invoice.clone_from(&file.invoice);
    receipt.buyer.clone_from(&file.buyer);
    if args.staff {
        receipt.audience = Audience::Staff;
    }
    let document = receipt.document();
    Ok(match args.copy {
        Some(number) if number > 0 => document.marked_as_copy(number),
        _ => document,
    })
}

/// What the simulated printer makes of it. A logo in the printer's own memory was put there
/// before.
fn paper(job: &Job, config: Option<&Configuration>, profile: &Profile) -> Result<Vec<Sheet>> {
    let logo = config.and_then(|config| {
        let stored = config.file.receipt.logo_in_printer && profile.logo == LogoPlan::Stored;
        config.logo.as_ref().filter(|_| stored)
    });
    Ok(match logo {
        Some(logo) => print_out(profile, &[&store_logo(logo, profile)?, job]),
        None => print_out(profile, &[job]),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hardware::printer::protocol::command::{Command, Front, front};

    fn args(folder: &std::path::Path, sale: &str, profile: &str) -> RenderArgs {
        let file = folder.join("sale.json");
        std::fs::write(&file, sale).unwrap();
        RenderArgs {
            sale: file,
            profile: profile.into(),
            out: folder.join("bytes.bin"),
            png: Some(folder.join("paper.png")),
            text: false,
            lang: None,
            copy: None,
            staff: false,
            config: None,
        }
    }

    const LONG: &str = include_str!("../../docs/examples/receipt-39-lines.json");
    const EXAMPLE: &str = include_str!("../../docs/examples/sale.json");

    /// The lines of the paper without the code and its quiet zone.
    fn lines(rendered: &Rendered) -> Vec<String> {
        let mut lines = rendered.sheets.last().unwrap().lines.clone();
        if let Some(code) = lines.iter().position(|line| line.trim().starts_with("[QR")) {
            lines.drain(code - 1..=code + 1);
        }
        lines
    }

    /// The bytes without those of the code.
    fn bytes_without_code(job: &Job) -> usize {
        let mut rest = job.bytes();
        let mut count = 0;
        while let Front::Whole(command, length) = front(rest) {
            if !matches!(command, Command::Function { letter: b'k', .. }) {
                count += length;
            }
            rest = &rest[length..];
        }
        count
    }

    #[test]
    fn the_39_line_receipt_keeps_its_budget_on_clones_and_on_epson() {
        // Proves: through the command, 39 lines with accents in 22 take at most 5.0 KB as inline
        // glyphs and 1.6 KB in TCVN-3, the code not counted.
        let folder = tempfile::tempdir().unwrap();
        for (profile, most) in [("xprinter-clone", 5_000), ("epson-t88", 1_600)] {
            let rendered = render(&args(folder.path(), LONG, profile)).unwrap();
            let lines = lines(&rendered);
            let accented = lines.iter().filter(|line| !line.is_ascii()).count();
            assert_eq!((lines.len(), accented), (39, 22), "{}", lines.join("\n"));
            let count = bytes_without_code(&rendered.job);
            assert!(count <= most, "{profile}: {count} bytes");
            let written = std::fs::read(folder.path().join("bytes.bin")).unwrap();
            assert_eq!(written, rendered.job.bytes());
        }
    }

    #[test]
    fn the_paper_of_every_printer_says_what_the_document_says() {
        // Proves: what is drawn and written as text is what the bytes print, letter for letter,
        // with 32, 42 and 48 columns.
        let folder = tempfile::tempdir().unwrap();
        for name in Profile::names() {
            let args = args(folder.path(), EXAMPLE, name);
            let rendered = render(&args).unwrap();
            let document = compose(&args, &file::read(EXAMPLE).unwrap(), None).unwrap();
            let text = document.to_text(rendered.profile.columns);
            // Double width is centred in other cells; the words are what is compared.
            let wanted: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with(['[', '~']))
                .map(str::trim)
                .collect();
            let lines = lines(&rendered);
            let mut printed: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
            if let Some(code) = printed.iter().position(|line| line.contains("[raster")) {
                // There the code is a picture, in bands.
                let last = printed.iter().rposition(|line| line.contains("[raster"));
                printed.drain(code - 1..=last.unwrap_or(code) + 1);
            }
            assert_eq!(printed, wanted, "{name}");
            assert!(
                std::fs::metadata(folder.path().join("paper.png"))
                    .unwrap()
                    .len()
                    > 1_000
            );
        }
    }

    #[test]
    fn copies_are_marked_and_english_is_spoken() {
        // Proves: --copy and --lang reach the paper; a wrong language is refused.
        let folder = tempfile::tempdir().unwrap();
        let mut args = args(folder.path(), EXAMPLE, "xprinter-clone");
        args.copy = Some(2);
        args.lang = Some("en".into());
        let paper = render(&args).unwrap().sheets[0].text();
        assert_eq!(paper.matches("BẢN SAO / COPY 2").count(), 2, "{paper}");
        assert!(
            paper.contains("TOTAL") && paper.contains("333,388 VND"),
            "{paper}"
        );
        args.lang = Some("fr".into());
        assert!(render(&args).unwrap_err().to_string().contains("vi or en"));
    }

    #[test]
    fn a_file_without_a_seller_needs_a_configuration() {
        // Proves: nobody prints a receipt without a seller; the logo of the configuration comes
        // out of the printer's memory where it has one and as dots elsewhere.
        let folder = tempfile::tempdir().unwrap();
        let stored = include_str!("../../tests/fixtures/sale.json");
        let mut args = args(folder.path(), stored, "epson-t88");
        let said = render(&args).unwrap_err().to_string();
        assert!(said.contains("--config"), "{said}");
        let logo = folder.path().join("logo.png");
        let mut encoder = png::Encoder::new(std::fs::File::create(&logo).unwrap(), 160, 40);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0; 160 * 40]).unwrap();
        writer.finish().unwrap();
        let config = crate::config::EXAMPLE
            .replace(
                "[receipt]\n",
                "[receipt]\nlogo = \"logo.png\"\nlogo_in_printer = true\n",
            )
            .replace("promotions = \"promotions.toml\"", "");
        let path = folder.path().join("kiosk.toml");
        std::fs::write(&path, config).unwrap();
        args.config = Some(path);
        let epson = render(&args).unwrap();
        assert!(
            epson.sheets[0].lines[0].contains("[raster 160x40]"),
            "{epson:?}"
        );
        args.profile = "xprinter-clone".into();
        let clone = render(&args).unwrap();
        assert!(clone.sheets[0].lines[0].contains("[raster 160x40]"));
        assert!(clone.job.bytes().len() > epson.job.bytes().len() + 800);
    }
}
