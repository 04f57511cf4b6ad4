#include "region-node/store/ledger_switch.h"

#include "conflict/no_ledger.h"

namespace meridian::store {
namespace {

using conflict::kNoLedger;
using sqlite::Statement;

bool any(sqlite::Database& db, const char* which) {
  Statement select(db, which);
  return select.run(kNoLedger.value).step();
}

}  // namespace

void begin_ledgers(sqlite::Database& db, const StoreOptions& options, conflict::Hlc ceiling) {
  if (keeps_ledger(options)) {
    if (!any(db, "SELECT 1 FROM ledgers WHERE complete_after = ?1")) return;
    Statement begin(db, "UPDATE ledgers SET complete_after = ?2 WHERE complete_after = ?1");
    begin.execute(kNoLedger.value, ceiling.value);
    return;
  }
  if (!any(db, "SELECT 1 FROM ledgers WHERE complete_after <> ?1")) return;
  sqlite::Transaction transaction(db);
  Statement forget(db, "DELETE FROM conflicts");
  forget.execute();
  Statement end(db,
                "UPDATE ledgers SET complete_after = ?1, dropped = dropped + entries, entries = 0,"
                " bytes = 0");
  end.execute(kNoLedger.value);
  transaction.commit();
}

}  // namespace meridian::store
