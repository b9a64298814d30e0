// Text for people: numbers, sizes and aligned tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace signfold::cli {

/// Five significant digits: "0.36338", "1.2346e-05"; exactly zero is "0".
std::string number(double value);
/// "1 bit per dimension", "0.5 bits per dimension".
std::string rate_text(double rate);
/// "784 bits = 98 bytes"; "98 bits" where they are no whole bytes.
std::string bits_and_bytes(std::uint64_t bits);
/// Three digits and a unit of 1000: "512 B", "4.42 MB".
std::string size(std::uint64_t bytes);
/// Whole numbers below a million in full, larger ones with a unit: "15300", "1.25 M".
std::string speed(double per_second);

using Row = std::vector<std::string>;
/// Aligned columns, the first to the left and the others to the right, two spaces between; every line ends in '\n'.
/// The first row is the header. Rows may have fewer cells than the header.
std::string table(const std::vector<Row>& rows);
/// "name  value" lines, values aligned.
std::string facts(const std::vector<std::pair<std::string, std::string>>& lines);

}  // namespace signfold::cli
