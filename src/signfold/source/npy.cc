#include "signfold/source/npy.h"

#include <array>
#include <charconv>
#include <utility>

#include "signfold/base/error.h"
#include "signfold/source/column_source.h"
#include "signfold/source/row_source.h"

namespace signfold {
namespace {

constexpr std::array kMagic = {std::byte{0x93}, std::byte{'N'}, std::byte{'U'},
                               std::byte{'M'},  std::byte{'P'}, std::byte{'Y'}};
constexpr std::size_t kMaxHeader = 1 << 20;  // NumPy itself stops at 10000 unless told otherwise
constexpr std::size_t kMaxAxes = 64;         // NumPy's own limit

/// A recursive-descent parser of the few Python literals a header may hold.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    std::array<bool, 3> seen{};
    expect('{');
    while (!accept('}')) {
      parse_item(header, seen);
      if (accept('}')) break;
      expect(',');
    }
    skip_spaces();
    if (position_ != text_.size()) complain("the end");
    if (seen != std::array{true, true, true}) {
      fail("{}: its header lacks 'descr', 'fortran_order' or 'shape': the file is damaged", path_);
    }
    return header;
  }

 private:
  void parse_item(NpyHeader& header, std::array<bool, 3>& seen) {
    const std::string key = parse_string();
    expect(':');
    std::size_t which = 0;
    if (key == "descr") {
      header.descr = parse_descr();
    } else if (key == "fortran_order") {
      header.fortran_order = parse_bool();
      which = 1;
    } else if (key == "shape") {
      header.shape = parse_shape();
      which = 2;
    } else {
      fail("{}: its header has an unknown key '{}'", path_, key);
    }
    if (std::exchange(seen.at(which), true)) fail("{}: its header has the key '{}' twice", path_, key);
  }

  std::string parse_descr() {
    if (accept('[')) fail("{} is an array of records; save one field of it as a plain float32 array", path_);
    return parse_string();
  }

  std::string parse_string() {
    skip_spaces();
    const char quote = peek();
    if (quote != '\'' && quote != '"') complain("a string");
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) complain("the end of a string");
    std::string out(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return out;
  }

  bool parse_bool() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    complain("True or False");
  }

  /// (), (3,), (3, 4), (3, 4,) but not (3): a tuple, not a number in parentheses.
  std::vector<std::size_t> parse_shape() {
    std::vector<std::size_t> shape;
    bool comma = false;
    expect('(');
    while (!accept(')')) {
      if (!shape.empty() && !comma) complain("','");
      shape.push_back(parse_size());
      comma = accept(',');
    }
    if (shape.size() == 1 && !comma) complain("','");
    return shape;
  }

  std::size_t parse_size() {
    skip_spaces();
    std::size_t value = 0;
    const char* begin = text_.data() + position_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("{}: a size in its header does not fit 64 bits", path_);
    if (error != std::errc()) complain("a size");
    position_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  void skip_spaces() {
    while (position_ < text_.size() && std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }
  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool accept(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) complain(fmt::format("'{}'", c));
  }
  [[noreturn]] void complain(std::string_view wanted) const {
    fail("{}: its header is damaged: {} is missing at character {}", path_, wanted, position_);
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t position_ = 0;
};

/// Reads magic, version, length and header text; returns the text and sets `offset` to where the numbers start.
std::string read_header_text(ByteStream& stream, std::uint64_t& offset) {
  std::array<std::byte, 8> start{};
  stream.read_exactly(start, "its magic");
  const auto version = std::to_integer<int>(start[6]);
  if (version < 1 || version > 3 || start[7] != std::byte{0}) {
    fail("{} is a .npy file of version {}.{}; versions 1.0, 2.0 and 3.0 are known", stream.path(), version,
         std::to_integer<int>(start[7]));
  }
  std::array<std::byte, 4> field{};
  const std::size_t width = version == 1 ? 2 : 4;
  stream.read_exactly(std::span(field).first(width), "the length of its header");
  const std::size_t length = load<std::uint32_t>(field.data(), ByteOrder::little);
  if (length > kMaxHeader) fail("{}: its header claims {} bytes: the file is damaged", stream.path(), length);
  std::string text(length, '\0');
  stream.read_exactly(std::as_writable_bytes(std::span(text)), "its header");
  offset = start.size() + width + length;
  return text;
}

const Element& element_of(const std::string& path, const std::string& descr) {
  // One order mark ('|' for single bytes), one kind, one digit.
  if (descr.size() == 3 && descr[2] > '0' && descr[2] <= '9') {
    const auto size = static_cast<std::size_t>(descr[2] - '0');
    const bool known_order = descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && size == 1);
    const Element* element = find_element(descr[1], size, descr[0] == '>' ? ByteOrder::big : ByteOrder::little);
    if (known_order && element != nullptr) return *element;
  }
  fail("{} holds numbers of type '{}'; f4, f8, u1, i1, i2 and i4 are known: convert it with x.astype('float32')", path,
       descr);
}

}  // namespace

NpyHeader parse_npy_header(const std::string& path, std::string_view text) { return HeaderParser(path, text).parse(); }

bool is_npy(Probe& probe) { return probe.starts_with(kMagic); }

std::unique_ptr<Source> open_npy(std::unique_ptr<ByteStream> stream) {
  RowLayout layout;
  layout.format = "NPY";
  const NpyHeader header = parse_npy_header(stream->path(), read_header_text(*stream, layout.offset));
  layout.element = &element_of(stream->path(), header.descr);
  if (header.shape.empty()) fail("{} holds a single number, not vectors", stream->path());
  if (header.shape.size() > kMaxAxes) {
    fail("{} has {} axes, NumPy's arrays have at most {}: its header is damaged", stream->path(), header.shape.size(),
         kMaxAxes);
  }
  if (header.shape.size() == 1) {
    layout.rows = 1;
    layout.item_shape = header.shape;
    return make_row_source(std::move(stream), std::move(layout));
  }
  layout.rows = header.shape[0];
  layout.item_shape.assign(header.shape.begin() + 1, header.shape.end());
  return (header.fortran_order ? make_column_source : make_row_source)(std::move(stream), std::move(layout));
}

}  // namespace signfold
