#include "signfold/source/zip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "signfold/base/endian.h"
#include "signfold/base/error.h"
#include "signfold/source/inflate.h"

namespace signfold {
namespace {

// Section numbers are those of PKWARE's APPNOTE 6.3: 4.3.7 local header, 4.3.12 directory entry, 4.3.14 and 4.3.15
// zip64 end and its locator, 4.3.16 end of the directory, 4.5.3 zip64 extra field.
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kEntrySignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kEntrySize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocator64Size = 20;
constexpr std::uint64_t kMaxDirectory = 64 << 20;
constexpr std::uint32_t kIn64 = 0xffffffff;  // "see the zip64 field"

using Bytes = std::vector<std::byte>;

std::uint64_t u16(const Bytes& b, std::size_t at) { return load<std::uint16_t>(&b.at(at), ByteOrder::little); }
std::uint64_t u32(const Bytes& b, std::size_t at) { return load<std::uint32_t>(&b.at(at), ByteOrder::little); }
std::uint64_t u64(const Bytes& b, std::size_t at) { return load<std::uint64_t>(&b.at(at), ByteOrder::little); }

[[noreturn]] void damaged(const std::string& path, const char* what) {
  fail("{} is a damaged zip archive: {}", path, what);
}

Bytes read_at(InputFile& file, std::uint64_t offset, std::uint64_t count, const char* what) {
  if (offset > file.size() || count > file.size() - offset) damaged(file.path(), what);
  Bytes bytes(count);
  file.seek(offset);
  file.read_exactly(bytes, what);
  return bytes;
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

/// Follows the zip64 locator before the end record, if there is one.
std::optional<Directory> find_directory64(InputFile& file, std::uint64_t end) {
  if (end < kLocator64Size) return {};
  const Bytes locator = read_at(file, end - kLocator64Size, kLocator64Size, "no zip64 locator");
  if (u32(locator, 0) != kLocator64Signature) return {};
  const Bytes record = read_at(file, u64(locator, 8), kEnd64Size, "its zip64 end record is missing");
  if (u32(record, 0) != kEnd64Signature) damaged(file.path(), "its zip64 end record is missing");
  return Directory{u64(record, 48), u64(record, 40), u64(record, 32)};
}

/// The end record is the last thing in the file but for a comment of at most 65535 bytes.
Directory find_directory(InputFile& file) {
  const std::uint64_t tail_size = std::min<std::uint64_t>(file.size(), kEndSize + 65535);
  const std::uint64_t tail_begin = file.size() - tail_size;
  const Bytes tail = read_at(file, tail_begin, tail_size, "it is empty");
  for (std::size_t at = tail.size() - std::min(tail.size(), kEndSize) + 1; at-- > 0;) {
    if (at + kEndSize > tail.size() || u32(tail, at) != kEndSignature) continue;
    if (at + kEndSize + u16(tail, at + 20) != tail.size()) continue;
    if (const auto found = find_directory64(file, tail_begin + at)) return *found;
    return {u32(tail, at + 16), u32(tail, at + 12), u16(tail, at + 10)};
  }
  damaged(file.path(), "it has no directory at its end (is it truncated?)");
}

/// Sizes and offset that do not fit 32 bits are in extra field 1, in this order, only those that do not fit.
void read_zip64_extra(const std::string& path, const Bytes& extra, ZipMember& member) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t id = u16(extra, at);
    const std::size_t end = at + 4 + u16(extra, at + 2);
    if (end > extra.size()) damaged(path, "an extra field is longer than its place");
    std::size_t next = at + 4;
    if (id == 1) {
      for (std::uint64_t* field : {&member.size, &member.compressed_size, &member.header_offset}) {
        if (*field != kIn64) continue;
        if (next + 8 > end) damaged(path, "a zip64 field is missing");
        *field = u64(extra, next);
        next += 8;
      }
    }
    at = end;
  }
}

/// Parses the entry at `at` of the directory and moves `at` behind it.
ZipMember parse_entry(const std::string& path, const Bytes& directory, std::size_t& at) {
  if (directory.size() - at < kEntrySize || u32(directory, at) != kEntrySignature) {
    damaged(path, "its directory is cut or overwritten");
  }
  const std::size_t name = at + kEntrySize;
  const std::size_t extra = name + u16(directory, at + 28);
  const std::size_t comment = extra + u16(directory, at + 30);
  const std::size_t end = comment + u16(directory, at + 32);
  if (end > directory.size()) damaged(path, "its directory is cut");
  ZipMember member;
  member.name.assign(reinterpret_cast<const char*>(directory.data()) + name, extra - name);
  member.flags = static_cast<std::uint16_t>(u16(directory, at + 8));
  member.method = static_cast<std::uint16_t>(u16(directory, at + 10));
  member.crc = static_cast<std::uint32_t>(u32(directory, at + 16));
  member.compressed_size = u32(directory, at + 20);
  member.size = u32(directory, at + 24);
  member.header_offset = u32(directory, at + 42);
  const auto begin = directory.begin();
  read_zip64_extra(
      path, Bytes(begin + static_cast<std::ptrdiff_t>(extra), begin + static_cast<std::ptrdiff_t>(comment)), member);
  at = end;
  return member;
}

/// Passes bytes on and compares their number and CRC-32 with what the directory says.
class CheckedStream final : public ByteStream {
 public:
  CheckedStream(std::string path, std::unique_ptr<ByteStream> content, std::uint64_t size, std::uint32_t crc)
      : ByteStream(std::move(path)), content_(std::move(content)), size_(size), crc_(crc) {}

  std::size_t read(std::span<std::byte> bytes) override {
    const std::size_t got = content_->read(bytes);
    position_ += got;
    found_ = crc32_z(found_, reinterpret_cast<const Bytef*>(bytes.data()), got);
    const bool at_end = got < bytes.size();
    if (position_ > size_ || (at_end && position_ != size_)) {
      fail("{} is damaged: it does not have the {} bytes that the archive promises", path(), size_);
    }
    if (position_ == size_ && found_ != crc_) fail("{} is damaged: its CRC-32 is wrong", path());
    return got;
  }
  void rewind() override {
    content_->rewind();
    position_ = 0;
    found_ = 0;
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::unique_ptr<ByteStream> content_;
  std::uint64_t size_;
  std::uint32_t crc_;
  std::uint64_t position_ = 0;
  unsigned long found_ = 0;
};

}  // namespace

std::vector<ZipMember> read_zip_directory(const std::string& path) {
  InputFile file(path);
  const Directory directory = find_directory(file);
  if (directory.size > kMaxDirectory) damaged(path, "its directory is larger than 64 MB");
  const Bytes bytes = read_at(file, directory.offset, directory.size, "its directory lies outside the file");
  std::vector<ZipMember> members;
  for (std::size_t at = 0; at < bytes.size();) members.push_back(parse_entry(path, bytes, at));
  if (members.size() != directory.entries) damaged(path, "its directory has another number of entries than it says");
  return members;
}

std::unique_ptr<ByteStream> open_zip_member(const std::string& path, const ZipMember& member) {
  const std::string name = path + ":" + member.name;
  if ((member.flags & 1U) != 0) fail("{} is encrypted; save it without a password", name);
  auto file = std::make_unique<InputFile>(path);
  const Bytes header = read_at(*file, member.header_offset, kLocalSize, "a member lies outside the file");
  if (u32(header, 0) != kLocalSignature) damaged(path, "a member does not begin where the directory says");
  const std::uint64_t begin = member.header_offset + kLocalSize + u16(header, 26) + u16(header, 28);
  std::unique_ptr<ByteStream> content =
      std::make_unique<FileStream>(name, std::move(file), begin, member.compressed_size);
  if (member.method == 8) {
    content = std::make_unique<InflateStream>(std::move(content), InflateStream::Format::raw);
  } else if (member.method != 0) {
    fail("{} is compressed by method {}; only stored and deflated members are known: save it with numpy.savez", name,
         member.method);
  }
  if (const auto most = content->at_most(); most && member.size > *most) {
    fail("{} is damaged: the archive promises {} bytes, its data can hold at most {}", name, member.size, *most);
  }
  return std::make_unique<CheckedStream>(name, std::move(content), member.size, member.crc);
}

}  // namespace signfold
