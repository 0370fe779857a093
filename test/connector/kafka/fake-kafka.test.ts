import { kafkaClientsConformance } from '../../conformance/kafka-clients.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'

kafkaClientsConformance('in memory', (topics) =>
  Promise.resolve({
    clients: new FakeKafka({ topics }),
    config: {},
    consumerConfig: {},
    tellsGroupOffsets: true,
    stop: () => Promise.resolve(),
  }),
)
