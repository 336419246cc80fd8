//! A network's id as a QR code, for whoever takes its root of trust over from a screen or paper.

use qrcode::render::{svg, unicode::Dense1x2};
use qrcode::{EcLevel, QrCode};
use touchmark_wire::ids::NetworkId;

/// Smallest side of a drawing, in its units.
const SIDE: u32 = 256;

/// The code. Its text is the id as `--trust` takes it.
pub(super) struct Code(QrCode);

impl Code {
    pub(super) fn of(network: NetworkId) -> Self {
        let code = QrCode::with_error_correction_level(network.to_string(), EcLevel::M);
        Self(code.expect("64 characters have room in a code of this level"))
    }

    /// Rows of half blocks, two modules in each. What is light is drawn, as most terminals write
    /// light on dark; readers take the reverse, too.
    pub(super) fn rows(&self) -> Vec<String> {
        let mut renderer = self.0.render::<Dense1x2>();
        let drawn = renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        drawn.lines().map(ToOwned::to_owned).collect()
    }

    /// A drawing, dark on light.
    pub(super) fn svg(&self) -> String {
        let mut renderer = self.0.render::<svg::Color<'_>>();
        renderer.min_dimensions(SIDE, SIDE).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::hash::Digest;

    /// What a reader of codes finds in modules, of which `is_dark` tells.
    fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        const SCALE: usize = 4;
        let brightness =
            |x: usize, y: usize| if is_dark(x / SCALE, y / SCALE) { 0 } else { u8::MAX };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, brightness);
        let grids = image.detect_grids();
        let [grid] = &grids[..] else { panic!("{} codes", grids.len()) };
        grid.decode().unwrap().1
    }

    fn networks() -> [NetworkId; 3] {
        [[0; 32], [0xa7; 32], core::array::from_fn(|at| at as u8)].map(|id| NetworkId(Digest(id)))
    }

    #[test]
    fn a_reader_finds_the_id_in_the_half_blocks() {
        for network in networks() {
            let rows: Vec<Vec<char>> =
                Code::of(network).rows().iter().map(|row| row.chars().collect()).collect();
            let is_dark = |x: usize, y: usize| match rows[y / 2][x] {
                ' ' => true,
                '\u{2580}' => y % 2 == 1,
                '\u{2584}' => y.is_multiple_of(2),
                '\u{2588}' => false,
                other => panic!("{other}"),
            };
            assert_eq!(read(rows[0].len(), is_dark), network.to_string());
        }
    }

    #[test]
    fn a_reader_finds_the_id_in_the_drawing() {
        for network in networks() {
            let svg = Code::of(network).svg();
            let side: usize = attribute(&svg, "width").parse().unwrap();
            // Of each dark module its corner and side: `M48 48h12v12H48V48`.
            let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
            let corners: Vec<(usize, usize)> = path
                .split('M')
                .skip(1)
                .map(|module| {
                    let (x, rest) = module.split_once(' ').unwrap();
                    let y = rest.split('h').next().unwrap();
                    (x.parse().unwrap(), y.parse().unwrap())
                })
                .collect();
            let unit: usize =
                path.split('h').nth(1).unwrap().split('v').next().unwrap().parse().unwrap();
            let is_dark = |x: usize, y: usize| corners.contains(&(x * unit, y * unit));
            assert_eq!(read(side / unit, is_dark), network.to_string());
        }
    }

    fn attribute<'s>(svg: &'s str, name: &str) -> &'s str {
        let start = format!(" {name}=\"");
        svg.split(&start).nth(1).unwrap().split('"').next().unwrap()
    }
}
