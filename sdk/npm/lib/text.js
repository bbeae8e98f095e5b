// UTF-8 for an engine without TextEncoder and TextDecoder.

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    const bytes = new Uint8Array(text.length * 3);
    let end = 0;
    for (const char of text) {
      let code = char.codePointAt(0);
      // Half of a surrogate pair.
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      if (code < 0x80) {
        bytes[end++] = code;
      } else if (code < 0x800) {
        bytes[end++] = 0xc0 | (code >> 6);
        bytes[end++] = 0x80 | (code & 0x3f);
      } else if (code < 0x10000) {
        bytes[end++] = 0xe0 | (code >> 12);
        bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[end++] = 0x80 | (code & 0x3f);
      } else {
        bytes[end++] = 0xf0 | (code >> 18);
        bytes[end++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[end++] = 0x80 | (code & 0x3f);
      }
    }
    return bytes.slice(0, end);
  }
}

export class TextDecoder {
  #fatal;

  constructor(encoding = "utf-8", { fatal = false } = {}) {
    if (!/^utf-?8$/i.test(encoding)) throw new RangeError(`only utf-8 is decoded here, not ${encoding}`);
    this.#fatal = fatal;
  }

  get encoding() {
    return "utf-8";
  }

  decode(input = new Uint8Array()) {
    const bytes = input instanceof ArrayBuffer ? new Uint8Array(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    const bad = () => {
      if (this.#fatal) throw new TypeError("the bytes are not utf-8");
      return 0xfffd;
    };
    const parts = [];
    let codes = [];
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      const first = bytes[at++];
      let code = first;
      if (first >= 0x80) {
        const length = first >= 0xc2 && first <= 0xdf ? 1 : (first & 0xf0) === 0xe0 ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
        // The second byte has narrower bounds where the first would allow overlong forms, surrogates or too large codes.
        const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        code = length === 0 ? bad() : first & (0x3f >> length);
        for (let n = 0; n < length; n++) {
          const next = bytes[at];
          if (next === undefined || next < (n === 0 ? low : 0x80) || next > (n === 0 ? high : 0xbf)) {
            code = bad();
            break;
          }
          code = (code << 6) | (next & 0x3f);
          at++;
        }
      }
      codes.push(code);
      if (codes.length === 4096) {
        parts.push(String.fromCodePoint(...codes));
        codes = [];
      }
    }
    parts.push(String.fromCodePoint(...codes));
    return parts.join("");
  }
}
