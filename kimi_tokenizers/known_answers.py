"""Known answers: texts and the ids that the published vocabulary gives for them.

The ids were made with the reference implementation and checked with a plain `tiktoken.Encoding` of the rank table.
"""

from __future__ import annotations

from typing import NamedTuple


class KnownAnswer(NamedTuple):
    """A text and its ids."""

    line: str  # the model line whose control tokens apply
    control: bool  # whether control tokens in the text are recognised; else they are plain text
    text: str
    ids: tuple[int, ...]


# fmt: off
KNOWN_ANSWERS: tuple[KnownAnswer, ...] = (
    KnownAnswer("kimi-k2.6", False, 'a', (64,)),
    KnownAnswer("kimi-k2.6", False, '\r\n', (462,)),
    KnownAnswer("kimi-k2.6", False, 'Hello, world!', (19180,11,2695,0)),
    KnownAnswer("kimi-k2.6", False, 'The quick brown fox jumps over the lazy dog.', (1008,5072,16331,69275,60062,1312,276,29292,7751,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "I'll say we've done what they'd want; it's John's, WE'VE SHOUTED, don'T", (65447,3637,22205,4179,1573,94696,1913,26,4643,121514,11,40893,6,4571,10245,5618,2142,11,2335,64833)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4eba\u5de5\u667a\u80fd\u6b63\u5728\u6539\u53d8\u4e16\u754c\u3002\u6708\u4e4b\u6697\u9762\u53d1\u5e03\u4e86\u957f\u4e0a\u4e0b\u6587\u6a21\u578b\u3002', (17511,5016,135570,292,892,685,5519,696,27613,812,103560,15662,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u4f7f\u7528Python\u8c03\u7528API\u63a5\u53e3,\u6bcf\u79d2\u5904\u74061000\u4e2a\u8bf7\u6c42\u3002', (2172,19049,26458,8532,20767,11,79709,3934,1570,15,439,13694,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3002\u6f22\u5b57\u3068\u3072\u3089\u304c\u306a\u3001\u30ab\u30bf\u30ab\u30ca\u304c\u6df7\u5728\u3057\u307e\u3059\u3002', (4546,63011,4663,25875,32045,33360,292,1435,95,1855,9219,127935,16800,10389,11839,343,26121,21449,26121,42125,10389,5239,375,40086,292)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8\uc785\ub2c8\ub2e4. \ub744\uc5b4\uc4f0\uae30\ub3c4 \uc788\uc2b5\ub2c8\ub2e4.', (17079,54078,28763,83194,235,67178,87637,13,4782,251,226,28763,168,241,108,20883,31474,94080,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0401\u043b\u043a\u0430 \u0438 \u0451\u0436 \u2014 \u0434\u0440\u0443\u0437\u044c\u044f.', (159025,63694,11,5993,17898,0,739,223,1390,12834,5984,220,15193,7064,4275,5451,95601,57752,13)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5\xb7 \u1fa7 \u03c4\u03b9\u03bd\u03b9', (115528,37989,22142,22116,21495,97273,22934,111348,9554,2871,13271,122,100,162787,8711,8083)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c \u0643\u064a\u0641 \u062d\u0627\u0644\u0643\u061f \u0661\u0662\u0663\u0664', (40011,7570,4265,1063,47116,5042,52137,9683,17591,52430,15669,6974,7072,148,253,220,111991,161592,149,96,149,97)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd! \u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?', (16838,11792,84242,33480,38252,34102,0,146689,37056,64788,65778,30)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e, \u0915\u094d\u092f\u093e \u0939\u093e\u0932 \u0939\u0948? \u0967\u0968\u0969', (11334,14915,72819,7614,31019,108729,109111,11,14447,51253,25042,38410,56213,30,220,46147,101,87200)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22\u0e44\u0e21\u0e48\u0e21\u0e35\u0e0a\u0e48\u0e2d\u0e07\u0e27\u0e48\u0e32\u0e07', (34489,31697,22124,34489,32150,25382,60472,149818,61013,28290,20811,220,133338,14959,102,13730,52791,37016,31452,52791,129769,113636,60472,19836,49552,156758,73836)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'Ch\xe0o th\u1ebf gi\u1edbi, ti\u1ebfng Vi\u1ec7t c\xf3 d\u1ea5u: \u1ed9 \u1ead \u1eef', (1663,10615,78,332,70499,15082,139558,11,24468,70499,1487,47662,69286,83,74365,304,92419,84,25,220,53155,13271,118,255,220,140591)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u0130stanbul'da \u0131\u011fd\u0131r; Stra\xdfe, \ufb01nancial, na\xefve caf\xe9", (63930,67835,12362,64,220,4712,16677,75125,26,54678,73903,11,74792,102746,77,5825,11,7915,44187,367,70591)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308\U0001f1e8\U0001f1f3\U0001f1eb\U0001f1f7 \U0001f44d\U0001f3fd \U0001f680\U0001f30d', (64390,102,67963,64390,102,67963,64390,100,67963,64390,99,92949,111,31615,67963,5885,234,230,32166,101,32166,111,32166,104,32166,115,130732,235,92949,121,17137,40101,5885,44755)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u2211_{i=0}^{n} \u03b1_i\xb2 \u2264 \u221e \u21d2 \u2200\u03b5>0 \u2203\u03b4', (12273,239,9522,72,28,15,22344,77,92,6235,6645,39530,8008,104033,126189,11971,9554,29,15,26412,26029)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\u2460\u2461\u2462 \u2163 \u216b \xbd \xbe \u3007\u4e00\u4e8c\u4e09 \uff12\uff10\uff12\uff16\u5e74', (16395,16883,20555,220,28819,96,220,28819,104,220,45953,220,112649,220,91894,160386,220,320,240,320,238,320,240,320,244,532)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "\u2f00\u2f01 \u3005\u4e2d\u3007 \u32a5 \u3400 \U00020000\U00020001 \u4e2d's \u4e2d'se A\u4e2dB", (158,120,222,158,120,223,220,106101,435,91894,220,159,232,98,220,159,238,222,220,172,254,222,222,172,254,222,223,220,435,1048,220,435,6,354,401,435,33)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'def f(x: int) -> int:\n    return x + 1  # \u6ce8\u91ca\n\n\nclass A:\n\tpass\n', (1166,285,3940,25,754,8,2949,754,777,274,745,1288,715,220,16,220,1214,220,53088,3898,1973,401,777,121029,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'fn main() { println!("{}", 1_000); }\n/// doc\n//! mod\n}\n/**\n */', (10964,2777,539,384,47647,28547,83871,220,16,62,1476,2340,811,5101,8272,198,24840,2318,198,896,3790,966)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, "SELECT * FROM t WHERE a='it''s' AND b>=10;\r\n-- c", (12319,397,10861,258,14294,261,3286,277,9726,82,6,6870,291,12324,795,1000,344,275)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<html><body class="x">&nbsp;</body></html>\n', (63365,3318,6487,1363,878,87,59334,13504,25205,6487,4192,3909,719)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '{"a":[1,2.5e-10,null,true],"b":{"c":"\\u4e2d"}}', (8264,64,33991,16,11,17,13,20,68,12,795,54376,54595,24410,65,22849,66,7471,59,84,19,68,17,67,60336)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] todo\n  - nested\n', (91,261,950,291,4665,90730,9304,91,220,16,950,220,17,32360,12,793,6391,37770,198,220,635,31095,198)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'https://example.com/a/b?x=1&y=%20#frag user@host.org C:\\dir\\file.txt', (1927,1316,17480,1304,18825,3969,30,87,28,16,5,88,9458,577,2,53846,2742,31,6928,3640,396,10001,6309,59,2274,8842)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '1234567890 3.14159 100,000,000 2026-11-24 0xDEADBEEF v2.6', (6694,12972,16242,15,220,18,13,18702,6276,220,1570,11,1476,11,1476,220,2975,21,12,1228,12,1903,220,15,87,11215,1817,16638,4126,437,17,13,21)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '   leading', (256,8134)),
    KnownAnswer("kimi-k2.6", False, 'trailing   ', (523,16627,274)),
    KnownAnswer("kimi-k2.6", False, 'a  b   c    d', (64,220,291,256,275,274,304)),
    KnownAnswer("kimi-k2.6", False, '\t\t\ttabs\n\n\n\nnewlines\r\r\n', (353,5604,5609,13099,3514,11541,21036)),
    KnownAnswer("kimi-k2.6", False, 'x\xa0y\u2003z\u3000w\u200bzero\ufeffbom', (87,5406,88,64731,89,14224,86,19400,7290,31384,127883)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\x00\x01\x7f control', (188,189,221,3862)),
    KnownAnswer("kimi-k2.6", False, 'e\u0301 vs \xe9; o\u0308\u0323', (68,37484,12583,9627,26,298,136,230,136,96)),
    KnownAnswer("kimi-k2.6", False, '\'\'\'\'"""```~~~!!!???...', (116177,27335,3251,49878,20118,46518,1614)),
    KnownAnswer("kimi-k2.6", False, '}\n///a/b /\n/', (896,5101,64,3969,61695,14)),
    KnownAnswer("kimi-k2.6", False, 'camelCaseSnake_case_UPPER_CASE XMLHttpRequest iPhone', (156983,8081,32503,898,39188,163430,45020,160457,3188,1032,11868)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'don\u2019t we\u2019ll (curly)', (22676,1639,645,4749,347,3681,419,8)),
    KnownAnswer("kimi-k2.6", False, "a'S b'T c'RE d'VE e'M f'LL g'D", (64,34480,291,64833,275,6,1046,304,6,4571,350,103645,285,6,5847,365,75231)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\U000e0041\U0010fffd\ue000 private', (175,254,223,223,176,237,123,121,170,222,222,2137)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\ua66e \ufdfd \U0001242b \U00013000 \U0001d518\U0001d52b\U0001d526 \U0001d7d8\U0001d7d9', (166,247,106,74792,115,121,220,172,240,238,104,220,172,241,222,222,131021,246,142435,104,142435,99,220,78484,246,87393)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (163587,2482,163601,19180,163586,163588,69702,163601,163606)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (27,91,348,8948,91,29,2482,27,91,348,129458,91,29,19180,27,91,348,11129,91,3318,91,348,22715,13967,91,29,69702,27,91,348,129458,91,3318,39964,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<think>reason</think>answer<|im_end|>', (163606,34876,163607,26921,163586)),
    KnownAnswer("kimi-k2.6", False, '<think>reason</think>answer<|im_end|>', (27,39964,29,34876,993,39964,29,26921,27,91,348,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '[BOS][EOS][PAD][UNK][EOT]', (163584,163585,163839,163838,163593)),
    KnownAnswer("kimi-k2.6", False, '[BOS][EOS][PAD][UNK][EOT]', (72706,4110,4183,85521,4183,54904,4183,57780,4183,36,2586,60)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '[ bos ] [BOS', (58,65712,6391,793,33,4110)),
    KnownAnswer("kimi-k2.6", False, '[ bos ] [BOS', (58,65712,6391,793,33,4110)),
    KnownAnswer("kimi-k2.6", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (163602,4017,163603,163605,163604)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|reserved_token_163600|><|reserved_token_163700|>', (163600,163700)),
    KnownAnswer("kimi-k2.6", False, '<|reserved_token_163600|><|reserved_token_163700|>', (27,91,64345,14147,62,18752,6706,91,3318,91,64345,14147,62,18752,9758,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2.6", False, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2.6", True, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2.6", False, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2.6", True, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,163586,435,163586,382,220,163586,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,27,91,348,11129,91,29,435,27,91,348,11129,91,4051,22652,348,11129,91,29,256)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<|start_header_id|>x<|end_header_id|>', (163590,87,163591)),
    KnownAnswer("kimi-k2.6", False, '<|start_header_id|>x<|end_header_id|>', (27,91,5402,16542,1885,91,29,87,27,91,517,16542,1885,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2.6", True, '<THINK></think ></think>', (27,5346,14777,4192,39964,1677,163607)),
    KnownAnswer("kimi-k2.6", False, '<THINK></think ></think>', (27,5346,14777,4192,39964,100862,39964,29)),
    KnownAnswer("kimi-k2.6", False, '?][->.quvqx\u05f3\u05f2\u05a5\u059e\u05dd73527495\U00020078\U00020084\U000200fa\U00020071\U000200ff\U00020085s33', (30,4183,569,13,574,85,63858,147,111,147,110,146,98,146,252,34102,49460,34443,4670,172,254,223,116,172,254,224,226,172,254,225,118,172,254,223,109,172,254,225,123,172,254,224,227,82,3081)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, ">.}/<.\uf9f3\uf995\uf937\ufa3e\ufab3\uf92b\uff86\uffc7\uff43\uffc3\uff96\uff7ffmihfpwvt\u0172\u018f\u015a\U00020041''%=0ecmrjpncb\U00020075\U00020097\U00020081\U0002003c\U0002007b\U000200d65963\tmsu\u2058\u206e\u204b\u2016\u203b\u06c1\u0619\u066e\u06d6  \u05aa\u05c3\u05ab\u05dc6194", (13757,6943,27,13,171,100,111,171,99,243,171,97,115,171,101,122,171,103,111,171,97,104,171,122,228,9030,229,24576,225,9030,225,171,122,244,24576,123,24804,6175,15010,86,13498,129,110,130,237,129,248,172,254,223,223,9726,54980,15,1209,27018,37994,1589,65,172,254,223,113,172,254,224,245,172,254,224,223,172,254,222,120,172,254,223,119,172,254,225,244,52461,18,54712,84,26850,246,26850,106,26850,233,32640,55355,5948,148,247,149,106,151,244,220,44803,103,147,225,146,104,11792,40100,19)),  # noqa: E501
    KnownAnswer("kimi-k2.6", False, '\xc1\u0237\xed\u023f\u015bblhjdnavtopcc\u06a1\u0664\u06dc\u06c1\u0607\U0002008e\U0002006a\U0002006bfws284ttljg', (77199,132,115,3831,132,123,25582,3145,71,56533,12044,8087,827,150,94,149,97,151,250,5948,148,229,172,254,224,236,172,254,223,103,172,254,223,104,69,10485,33479,1434,43408,70)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|im_user|>user<|im_middle|>Hello<|im_end|><|im_assistant|>assistant<|im_middle|><think>', (163587,2482,163601,19180,163586,163588,69702,163601,27,39964,29)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<think>reason</think>answer<|im_end|>', (27,39964,29,34876,993,39964,29,26921,163586)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>', (27,91,13634,37763,91,29,4017,27,91,13634,19053,91,3318,91,13634,49974,91,3318,91,13634,11129,91,29)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|reserved_token_163600|><|reserved_token_163700|>', (163600,163700)),
    KnownAnswer("kimi-k2-instruct", True, '<|im_end|', (27,91,348,11129,91)),
    KnownAnswer("kimi-k2-instruct", True, '<|test|>Hello<|end|>', (27,91,3078,91,29,19180,27,91,517,91,29)),
    KnownAnswer("kimi-k2-instruct", True, 'a<|im_end|>\u4e2d<|im_end|>\n\n <|im_end|>  ', (64,163586,435,163586,382,220,163586,256)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '<|start_header_id|>x<|end_header_id|>', (163590,87,163591)),
    KnownAnswer("kimi-k2-instruct", True, '<THINK></think ></think>', (27,5346,14777,4192,39964,100862,39964,29)),
    KnownAnswer("kimi-k2-instruct", True, "\u04c5\u0491\u04fe\u2ec3\u2ef4rfbepfw\u2151\u216d-pjqfr'<|reserved_token_163752|>", (143,227,142,239,143,122,158,119,225,158,119,112,81,14149,1078,30923,28819,239,28819,255,3031,75523,1821,6,163752)),  # noqa: E501
    KnownAnswer("kimi-k2-instruct", True, '*ztzxf<|reserved_token_163776|>', (54492,19186,17015,163776)),
    KnownAnswer("kimi-k2-instruct", True, '\u24bf\u24c8\u246d\u031c\xf5\u0105\u019e\u01c1\u0217\u52fagmbcnupxcozro<|reserved_token_163836|>', (58216,123,115661,230,6114,255,136,250,13613,15174,130,252,131,223,132,245,17585,70,3848,22122,771,87,5637,89,307,163836)),  # noqa: E501
)
# fmt: on
