// Ranks that are threads of one process: for tests of what ranks do together.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "signfold/base/ranks.h"

namespace signfold {

class ThreadRanks {
 public:
  explicit ThreadRanks(int size) : barrier_(size), places_(static_cast<std::size_t>(size)) {}

  /// Runs body(ranks) as every rank, once; the first exception is thrown again. Bodies throw on all ranks or on none.
  void run(const std::function<void(Ranks&)>& body) {
    std::exception_ptr error;
    std::mutex mutex;
    {
      std::vector<std::jthread> threads;
      threads.reserve(places_.size());
      for (int k = 0; k < static_cast<int>(places_.size()); ++k) {
        threads.emplace_back([&, k] {
          try {
            Member member(*this, k);
            body(member);
          } catch (...) {
            barrier_.arrive_and_drop();
            const std::lock_guard lock(mutex);
            if (!error) error = std::current_exception();
          }
        });
      }
    }
    if (error) std::rethrow_exception(error);
  }

 private:
  class Member final : public Ranks {
   public:
    Member(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(all_.places_.size()); }
    void sum(std::span<float> numbers) override { add_up(numbers); }
    void sum(std::span<double> numbers) override { add_up(numbers); }
    void share(std::span<std::byte> bytes) override {
      offer(bytes.data());
      if (rank_ != 0 && !bytes.empty()) std::memcpy(bytes.data(), all_.places_[0], bytes.size());
      wait_for_all();
    }
    void wait_for_all() override { all_.barrier_.arrive_and_wait(); }

   private:
    void offer(void* place) {
      all_.places_[static_cast<std::size_t>(rank_)] = place;
      wait_for_all();
    }
    template <class T>
    void add_up(std::span<T> numbers) {
      offer(numbers.data());
      std::vector<T> sum(numbers.size());
      for (const void* place : all_.places_) {
        const auto* theirs = static_cast<const T*>(place);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = place == all_.places_[0] ? theirs[i] : sum[i] + theirs[i];
      }
      wait_for_all();
      std::ranges::copy(sum, numbers.begin());
      wait_for_all();
    }

    ThreadRanks& all_;
    int rank_;
  };

  std::barrier<> barrier_;
  std::vector<void*> places_;
};

}  // namespace signfold
