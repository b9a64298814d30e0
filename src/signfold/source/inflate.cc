#include "signfold/source/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "signfold/base/error.h"

namespace signfold {
namespace {
constexpr std::size_t kBuffer = 1 << 16;
// zlib's window bits: 15 is the largest window; +16 asks for a gzip wrapper, a negative value for none.
constexpr int kGzip = 15 + 16;
constexpr int kRaw = -15;
// The best that DEFLATE can do: 258 bytes for two bits, one for the length and one for the distance (RFC 1951, 3.2.5).
constexpr std::uint64_t kMostPerByte = 258 * 8 / 2;
}  // namespace

InflateStream::InflateStream(std::unique_ptr<ByteStream> compressed, Format format)
    : ByteStream(compressed->path()),
      compressed_(std::move(compressed)),
      format_(format),
      zlib_(std::make_unique<z_stream>()),
      input_(kBuffer),
      output_(kBuffer) {
  if (inflateInit2(zlib_.get(), format == Format::gzip ? kGzip : kRaw) != Z_OK) {
    fail("cannot decompress {}: zlib does not start", path());
  }
}

InflateStream::~InflateStream() { inflateEnd(zlib_.get()); }

std::size_t InflateStream::read(std::span<std::byte> bytes) {
  std::size_t got = 0;
  while (got < bytes.size()) {
    if (next_ == filled_) refill();
    if (next_ == filled_) break;
    const std::size_t count = std::min(bytes.size() - got, filled_ - next_);
    std::copy_n(output_.data() + next_, count, bytes.data() + got);
    next_ += count;
    got += count;
  }
  return got;
}

void InflateStream::rewind() {
  compressed_->rewind();
  inflateReset(zlib_.get());
  zlib_->avail_in = 0;
  next_ = filled_ = 0;
  done_ = false;
}

std::optional<std::uint64_t> InflateStream::at_most() const {
  const auto compressed = compressed_->at_most();
  if (!compressed) return {};
  return std::min(*compressed, std::numeric_limits<std::uint64_t>::max() / kMostPerByte) * kMostPerByte;
}

/// Decompresses until there is something to hand out or the end is reached.
void InflateStream::refill() {
  zlib_->next_out = reinterpret_cast<Bytef*>(output_.data());
  zlib_->avail_out = static_cast<uInt>(output_.size());
  while (!done_ && zlib_->avail_out == output_.size()) {
    const bool more = load_input();  // without more, there may still be something to come of what zlib has taken
    const int code = inflate(zlib_.get(), Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      end_member();
    } else if (code == Z_BUF_ERROR && !more) {
      fail("{} is truncated: its compressed data stops in the middle", path());
    } else if (code != Z_OK) {
      fail("{} is damaged: its compressed data cannot be read ({})", path(),
           zlib_->msg != nullptr ? zlib_->msg : "zlib gives up");
    }
  }
  next_ = 0;
  filled_ = output_.size() - zlib_->avail_out;
}

/// Makes sure that zlib has input; false at the end of the compressed data.
bool InflateStream::load_input() {
  if (zlib_->avail_in != 0) return true;
  const std::size_t got = compressed_->read(input_);
  zlib_->next_in = reinterpret_cast<Bytef*>(input_.data());
  zlib_->avail_in = static_cast<uInt>(got);
  return got != 0;
}

void InflateStream::end_member() {
  const bool more = load_input();
  if (more && format_ == Format::raw) fail("{} is damaged: bytes follow the end of its compressed data", path());
  if (more) {
    inflateReset(zlib_.get());  // gzip files may be concatenated
  } else {
    done_ = true;
  }
}

}  // namespace signfold
