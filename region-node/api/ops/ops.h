// The operations, one function each.  A family of operations is one file of this folder; to add one,
// declare it here and name it in the table of dispatcher.cc.
//
// Threads and duties: api/call.h.
#pragma once

#include "region-node/api/call.h"

namespace meridian::api::ops {

void put_item(const Call& call, Reply reply);
void update_item(const Call& call, Reply reply);
void delete_item(const Call& call, Reply reply);
void batch_write_item(const Call& call, Reply reply);
void create_table(const Call& call, Reply reply);
void update_table(const Call& call, Reply reply);
void delete_table(const Call& call, Reply reply);

Answer get_item(const Call& call);
Answer batch_get_item(const Call& call);
Answer query(const Call& call);
Answer scan(const Call& call);
Answer describe_table(const Call& call);
Answer list_tables(const Call& call);
Answer describe_table_replica_auto_scaling(const Call& call);
Answer update_table_replica_auto_scaling(const Call& call);
Answer describe_endpoints(const Call& call);
Answer describe_limits(const Call& call);

// Global tables version 2017.11.29.
void create_global_table(const Call& call, Reply reply);
void update_global_table(const Call& call, Reply reply);
Answer describe_global_table(const Call& call);
Answer describe_global_table_settings(const Call& call);
void update_global_table_settings(const Call& call, Reply reply);
Answer list_global_tables(const Call& call);

Answer list_streams(const Call& call);
Answer describe_stream(const Call& call);
Answer get_shard_iterator(const Call& call);
Answer get_records(const Call& call);

}  // namespace meridian::api::ops
