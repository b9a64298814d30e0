// Streams that cannot seek: pipes, terminals, sockets, and standard input and output whatever they are. Waiting for the
// other side ends when the user asks to stop (base/interrupt.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signfold/base/file.h"

namespace signfold {

/// What comes through an open descriptor.
class PipeInput final : public Input {
 public:
  /// `name` is for messages. The descriptor stays the caller's.
  PipeInput(int descriptor, std::string name) : Input(std::move(name)), descriptor_(descriptor) {}
  /// Opens a named pipe, which need not have a writer yet, or a device.
  explicit PipeInput(const std::string& path);
  ~PipeInput() override;
  std::size_t read(std::span<std::byte> bytes) override;

 private:
  int descriptor_;
  bool owned_ = false;
};

/// What goes through an open descriptor. Nothing can be taken back: a reader must be able to tell that the end is
/// missing when commit() is never reached. A reader that is gone is an Error like any other.
class PipeOutput final : public Output {
 public:
  PipeOutput(int descriptor, std::string name);
  /// Opens a named pipe, once it has a reader, or a device.
  explicit PipeOutput(const std::string& path);
  ~PipeOutput() override;
  void write(std::span<const std::byte> bytes) override;
  void commit() override;

 private:
  void send(std::span<const std::byte> bytes);

  int descriptor_;
  bool owned_ = false;
  std::size_t most_ = 0;  ///< bytes per write: what a pipe that is ready takes without waiting
  std::vector<std::byte> buffer_;
};

}  // namespace signfold
