// Result<T, E>: the value of an operation, or the reason why there is none.
//
// Expected outcomes (a failed condition, a trimmed position, a full queue) travel as values, because
// they are normal traffic; failures of the environment are exceptions, and broken invariants abort
// (common/check.h). std::expected does not exist in C++20, and boost::system::result needs a
// default-constructible error.
//
// Threads: a value type, no sharing.  Errors: value() on an error aborts; check first.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/check.h"

namespace meridian {

// Marks an error on its way into a Result: `return Err(ApiError::validation("..."));`
template <typename E>
struct Err {
  E error;
  explicit Err(E e) : error(std::move(e)) {}
};

template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a plain `return value;` is the point.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <typename F>
    requires std::is_constructible_v<E, F>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Err<F> err) : state_(std::in_place_index<1>, std::move(err.error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() & {
    MERIDIAN_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    MERIDIAN_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    MERIDIAN_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok().
  E& error() & {
    MERIDIAN_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  const E& error() const& {
    MERIDIAN_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  E&& error() && {
    MERIDIAN_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, E> state_;
};

// The Result of an operation that has nothing to say on success.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  template <typename F>
    requires std::is_constructible_v<E, F>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Err<F> err) : error_(std::move(err.error)) {}

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }

  // REQUIRES: !ok().
  const E& error() const& {
    MERIDIAN_CHECK(!ok());
    return *error_;
  }
  E&& error() && {
    MERIDIAN_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<E> error_;
};

}  // namespace meridian
