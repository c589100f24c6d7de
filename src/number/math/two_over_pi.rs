//! The digits of 2/π for the reduction of large arguments.

/// Row g serves the exponents from 32 + 32 g on (row 0 all smaller ones too): 2/π without the digits whose products
/// with such numbers are multiples of 4, times 2^(32 g), as a sum of four floats given by their bits. The last row
/// stands for infinity. Made by `scripts/math_coefficients.py`.
pub const TWO_OVER_PI: [[u64; 4]; 32] = [
    [0x3fe45f306dc9c883, 0xbc86b01ec5417056, 0xb926447e493ad4ce, 0x35ce21c820ff28b2],
    [0x414cc1b727220a95, 0xbd8ec54170565912, 0x39eb6c52b3278872, 0x36507f9458eaf7af],
    [0x411054a7f09d5f48, 0xbda596447e493ad5, 0x3a393c439041fe51, 0x36d8eaf7aef1586e],
    [0x4143abe8fa9a6ee0, 0x3deb6c52b3278872, 0x3a507f9458eaf7af, 0xb6cd4f246dc8e2df],
    [0x414a6ee06db14acd, 0xbde8778df7c035d4, 0x3a8d5ef5de2b0db9, 0x3711b8e909374b80],
    [0x41414acc9e21c821, 0xbd7ae9c5421443aa, 0x39fb7246e3a424dd, 0x368700324977504f],
    [0x410c820ff28b1d5f, 0xbd7443a9e48db91c, 0xba16f6c8b47fe6db, 0xb6b115f62e6de302],
    [0x413163abdebbc562, 0xbdd236e4716f6c8b, 0xba71ff9b6d115f63, 0x36f921cfe1deb1cb],
    [0x414de2b0db92371d, 0x3dd09374b801924c, 0xba715f62e6de301e, 0xb700a71a76b2c609],
    [0x4142371d2126e970, 0x3d9924bba8274648, 0x3a3cfe1deb1cb12a, 0xb6d63045df7282b4],
    [0x412ba5c00c925dd4, 0x3da3a32439fc3bd6, 0x3a3cb129a73ee882, 0x36cafa975da24275],
    [0x41225dd413a3243a, 0xbd7e214e34ed658c, 0xb9f177dca0ad144c, 0x369213a671c09ad1],
    [0x4131921cfe1deb1d, 0xbdd3b5963045df73, 0x3a7f52ebb4484e9a, 0xb70c7eca5d040df6],
    [0x413deb1cb129a73f, 0xbdb77dca0ad144bb, 0xba5ec598e3f652e8, 0xb6e037d8cdc538d0],
    [0x4144d39f74411afb, 0xbdea28976f62cc72, 0x3a435a2fbf209cc9, 0xb6c4e33e566305b2],
    [0x4101afa975da2427, 0x3da338e04d68befd, 0xba4f633714e33e56, 0xb6e8c16c6f740e88],
    [0x414da24274ce3813, 0x3de68befc827323b, 0xba7c67cacc60b638, 0x37117e2ef7e4a0ec],
    [0x413c7026b45f7e41, 0x3dccc8eb1cc1a99d, 0xba26c6f740e8840e, 0x36c41d8ffc4bffef],
    [0x413f7e413991d63a, 0xbddf2b3182d8dee8, 0xba5d1081b5f13802, 0x36e2fffbc0b301fe],
    [0x4131d639835339f5, 0xbdd8dee81d1081b6, 0x3a4d8ffc4bffef03, 0xb6d9fc04343b9d29],
    [0x413339f49c845f8c, 0xbdd081b5f13801da, 0xb9c0fd33f8086877, 0xb65d297d64b824b2],
    [0x41117e2ef7e4a0ec, 0x3dbff897ffde0598, 0x3a2fde5e2316b415, 0xb6b2e092c98130d8],
    [0x414c941d8ffc4c00, 0xbdc0fd33f8086877, 0xba5d297d64b824b2, 0xb6f8130d834f648b],
    [0x414c4bffef02cc08, 0xbdb0d0ee74a5f593, 0x3a3f6d367ecf27cb, 0x36a36e9e8c7ecd3d],
    [0x4116603fbcbc462d, 0x3dba0a6d1f6d367f, 0xba486c1a7b24585d, 0x36cfb34f2ff516bb],
    [0x414788c5ad053690, 0xbde25930261b069f, 0x3a7b74f463f669e6, 0xb6b5d28ad8453814],
    [0x4124da3eda6cfd9e, 0x3dc3e584dba7a320, 0xba632c3402ba515b, 0xb6d14e050683a131],
    [0x414b3f6793e584dc, 0xbde61738132c3403, 0x3a816ba93dd63f5f, 0x3717c5ecf41ce7de],
    [0x4126136e9e8c7ecd, 0x3dbe5fea2d7527bb, 0xba4c0a0d0742617c, 0xb6e8c10eb5ada2b3],
    [0x4118fd9a797fa8b6, 0xbda5b08a7028341d, 0xba130be31821d6b6, 0x36b2ea6bfb5fb120],
    [0x413fea2d7527bac8, 0xbdb41a0e84c2f8c6, 0xba20eb5ada2b2809, 0xb6c0277039517bd5],
    [0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000],
];
