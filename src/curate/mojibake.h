// Text that was decoded with the wrong character set: "Ã©" for "é", "锟斤拷", "鐨勬椂" for "的时".
#pragma once

#include <cstdint>
#include <string_view>

namespace cupel::curate {

/// Code points that belong to
/// - UTF-8 read as Windows-1252 or Latin-1: a lead byte and its continuation bytes, as characters.
///   Leads that end words of living languages before a quotation mark (É, à, ß) are not taken;
/// - UTF-8 read as Mac Roman, where it begins a punctuation mark: "‚Äô";
/// - GBK read as Windows-1252: four and more characters of U+00A1..U+00FE in a row, half of them
///   letters and not all the same: "ÄãºÃ";
/// - UTF-8 read as GBK: "锟斤拷", three of "烫" or "屯" (memory that nobody filled), and characters
///   that common ones turn into and hardly anybody writes.
int64_t count_mojibake(std::string_view text);

}  // namespace cupel::curate
