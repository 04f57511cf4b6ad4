#include "conflict/absence.h"

namespace meridian::conflict {

Context context_of_absence(Hlc collected) {
  if (collected == Hlc{}) return {};
  return *Context::from_entries({{everywhere(), collected}});
}

}  // namespace meridian::conflict
