// Writing JSON answers straight into a string, without a document in between.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::api {

// `text` in quotation marks, escaped.  REQUIRES: `text` is UTF-8.
void append_string(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t value);
// Shortest decimal notation that reads back as the same number.
void append_decimal(std::string& out, double value);

// Writes the members of one object: the braces and commas are its affair, values are the caller's.
//   JsonMembers members(out); members.text("Name", name); append_value(members.name("Item"), v);
//   members.end();
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out) : out_(out) { out_ += '{'; }

  // Writes the name and the colon; the caller appends the value to what is returned.
  std::string& name(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void text(std::string_view member, std::string_view value) { append_string(name(member), value); }
  void integer(std::string_view member, std::int64_t value) { append_integer(name(member), value); }
  void decimal(std::string_view member, double value) { append_decimal(name(member), value); }
  void boolean(std::string_view member, bool value) { name(member) += value ? "true" : "false"; }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace meridian::api
