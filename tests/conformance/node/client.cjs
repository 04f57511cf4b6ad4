// One operation of the AWS SDK for JavaScript v3, for tests:
//   node client.cjs put|get ENDPOINT REGION TABLE JSON
// CommonJS, because only that looks for modules in NODE_PATH.
'use strict';

const { DynamoDBClient, GetItemCommand, PutItemCommand } = require('@aws-sdk/client-dynamodb');

async function main([operation, endpoint, region, table, json]) {
  const client = new DynamoDBClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const value = JSON.parse(json);
  if (operation === 'put') {
    await client.send(new PutItemCommand({ TableName: table, Item: value }));
    return {};
  }
  const answer = await client.send(new GetItemCommand({ TableName: table, Key: value }));
  return answer.Item ?? null;
}

main(process.argv.slice(2)).then(
  (answer) => console.log(JSON.stringify(answer)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
