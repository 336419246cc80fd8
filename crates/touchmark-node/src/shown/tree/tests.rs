use super::*;
use std::fs;
use std::path::Path;

/// A log of so many leaves as files, without checkpoint and proof.
fn write(folder: &Path, size: u64) {
    let leaf = |n: u64| n.to_be_bytes().to_vec();
    let put = |tile: Tile, bytes: Vec<u8>| {
        let path = folder.join(tile.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let mut hashes: Vec<_> = (0..size).map(|n| merkle::leaf_hash(&leaf(n))).collect();
    let leaves: Vec<_> = (0..size).map(leaf).collect();
    for (index, leaves) in (0..).zip(leaves.chunks(256)) {
        let bytes = leaves.iter().flat_map(|leaf| [&[0, 8], &leaf[..]].concat()).collect();
        put(Tile { row: Row::Entries, index, width: leaves.len() as u64 }, bytes);
    }
    for level in 0.. {
        for (index, tile) in (0..).zip(hashes.chunks(256)) {
            let width = tile.len() as u64;
            let bytes = tile.iter().flat_map(|hash| hash.0).collect();
            put(Tile { row: Row::Hashes(level), index, width }, bytes);
        }
        hashes = hashes.chunks_exact(256).map(|tile| tree_of(tile).root()).collect();
        if hashes.is_empty() {
            return;
        }
    }
}

/// Roots of the log of these leaves at every size.
fn roots(size: u64) -> Vec<Digest> {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for n in 0..size {
        frontier.append(merkle::leaf_hash(&n.to_be_bytes()));
        roots.push(frontier.root());
    }
    roots
}

fn as_of(size: u64, root: Digest) -> Position {
    Position { size: TreeSize(size), root, ..Position::default() }
}

#[test]
fn every_earlier_root_is_found_in_the_tiles() {
    for size in [1, 255, 256, 257, 65_535, 65_536, 65_537, 66_100] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), size);
        let (source, roots) = (Source::folder(folder.path()), roots(size));
        let mut tree = Tree::open(&source, &as_of(size, roots[size as usize])).unwrap();
        let near = (1..=size).filter(|n| *n < 600 || *n + 600 > size || n.is_multiple_of(4_099));
        for n in near {
            assert_eq!(tree.root_at(TreeSize(n)).unwrap(), roots[n as usize], "{n} of {size}");
        }
        for index in 0..size.div_ceil(WIDTH) {
            let entries = tree.entries(index).unwrap();
            assert_eq!(entries.leaves[0], (index * WIDTH).to_be_bytes(), "{index} of {size}");
        }
        let wrong = Tree::open(&source, &as_of(size, Digest([1; 32])));
        assert!(matches!(wrong, Err(ShownError::False { .. })), "{size}");
    }
}

#[test]
fn a_whole_tile_must_be_what_the_one_above_it_says() {
    let size = 66_100;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), size);
    let (source, roots) = (Source::folder(folder.path()), roots(size));
    for (name, index) in [("tile/0/003", (0, 3)), ("tile/1/000", (1, 0))] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[777] ^= 1;
        fs::write(&path, changed).unwrap();
        let mut tree = Tree::open(&source, &as_of(size, roots[size as usize])).unwrap();
        let found = tree.hashes(index.0, index.1);
        assert!(matches!(found, Err(ShownError::False { .. })), "{name}: {found:?}");
        fs::write(&path, whole).unwrap();
        tree.hashes(index.0, index.1).unwrap();
    }
}

#[test]
fn two_logs_have_so_many_leaves_in_common() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (size, differs) = (700, 517);
    for folder in &folders {
        write(folder.path(), size);
    }
    // The second log has another leaf at one place, and the hashes that follow from it.
    let mut hashes: Vec<_> = (0..size).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
    hashes[differs] = Digest([9; 32]);
    let last: Vec<u8> = hashes[512..].iter().flat_map(|hash| hash.0).collect();
    fs::write(folders[1].path().join("tile/0/002.p/188"), last).unwrap();
    let sources = [0, 1].map(|n| Source::folder(folders[n].path()));
    let known = [roots(size)[size as usize], tree_of(&hashes).root()];
    let tree = |n: usize| Tree::open(&sources[n], &as_of(size, known[n])).unwrap();
    let common = tree(0).common(&mut tree(1), TreeSize(size)).unwrap();
    assert_eq!(common.0, differs as u64);
}
