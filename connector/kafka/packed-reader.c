/* Reads messages of a consumer that somebody else made, many at a time, into one buffer: the binding's way of making a
 * JavaScript object of each costs several times what all the rest of librdkafka does.
 *
 * The consumer is found by librdkafka's plugin interface: with `plugin.library.paths` naming this library, each client that
 * is made is noted here until it is destroyed. Messages are taken by rd_kafka_consumer_poll, as the binding does it, so
 * seeks, pauses, rebalances and callbacks mean the same. Nothing is linked: packed_bind looks the functions up in the
 * library that the binding has loaded. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rdkafka.h"

#define CLIENTS_MAX 1024
#define MESSAGES_MAX 4096
#define NAME "mta-packed-reader"

/* What each message begins with in the buffer. Places count from the buffer's begin; a length of -1 is null. */
typedef struct {
  double offset;
  double timestamp; /* -1: none */
  int32_t partition;
  int32_t timestamp_type;
  int32_t topic_at, topic_length;
  int32_t key_at, key_length;
  int32_t value_at, value_length;
  int32_t headers_at, headers_count;
} entry_t;

typedef struct {
  rd_kafka_t *client;
  int32_t count;
  int64_t bytes;
  rd_kafka_message_t **messages;
} slot_t;

#define FUNCTIONS(F)                                                                          \
  F(int, rd_kafka_version, (void))                                                            \
  F(const char *, rd_kafka_name, (const rd_kafka_t *))                                        \
  F(rd_kafka_message_t *, rd_kafka_consumer_poll, (rd_kafka_t *, int))                        \
  F(void, rd_kafka_message_destroy, (rd_kafka_message_t *))                                   \
  F(int64_t, rd_kafka_message_timestamp,                                                      \
    (const rd_kafka_message_t *, rd_kafka_timestamp_type_t *))                                \
  F(rd_kafka_resp_err_t, rd_kafka_message_headers,                                            \
    (const rd_kafka_message_t *, rd_kafka_headers_t **))                                      \
  F(rd_kafka_resp_err_t, rd_kafka_header_get_all,                                             \
    (const rd_kafka_headers_t *, size_t, const char **, const void **, size_t *))             \
  F(const char *, rd_kafka_topic_name, (const rd_kafka_topic_t *))                            \
  F(rd_kafka_resp_err_t, rd_kafka_conf_interceptor_add_on_new,                                \
    (rd_kafka_conf_t *, const char *, rd_kafka_interceptor_f_on_new_t *, void *))             \
  F(rd_kafka_resp_err_t, rd_kafka_interceptor_add_on_destroy,                                 \
    (rd_kafka_t *, const char *, rd_kafka_interceptor_f_on_destroy_t *, void *))

#define DECLARE(result, name, arguments) static result(*do_##name) arguments;
FUNCTIONS(DECLARE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static slot_t slots[CLIENTS_MAX];
static int is_bound = 0;

/* What packed-reader.ts must know of: how messages are laid out, and the functions here. */
int packed_version(void) { return 1 << 16 | (int)sizeof(entry_t); }

/* 0 when all functions are there and are of the version whose header this was compiled with. */
int packed_bind(const char *library, char *reason, size_t size) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == NULL) {
    snprintf(reason, size, "%s is not loaded", library);
    return -1;
  }
#define LOOK_UP(result, name, arguments)                                \
  do_##name = (result(*) arguments)dlsym(handle, #name);                \
  if (do_##name == NULL) {                                              \
    snprintf(reason, size, "%s lacks %s", library, #name);              \
    return -1;                                                          \
  }
  FUNCTIONS(LOOK_UP)
  if (do_rd_kafka_version() != RD_KAFKA_VERSION) {
    snprintf(reason, size, "librdkafka is of version %x, expected %x", do_rd_kafka_version(),
             RD_KAFKA_VERSION);
    return -1;
  }
  is_bound = 1;
  return 0;
}

static void discard(slot_t *slot) {
  for (int32_t i = 0; i < slot->count; i++) do_rd_kafka_message_destroy(slot->messages[i]);
  slot->count = 0;
  slot->bytes = 0;
}

static rd_kafka_resp_err_t on_destroy(rd_kafka_t *client, void *opaque) {
  (void)opaque;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < CLIENTS_MAX; i++) {
    if (slots[i].client != client) continue;
    discard(&slots[i]);
    free(slots[i].messages);
    slots[i].messages = NULL;
    slots[i].client = NULL;
  }
  pthread_mutex_unlock(&lock);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf, void *opaque,
                                  char *reason, size_t size) {
  (void)conf, (void)opaque, (void)reason, (void)size;
  /* A client that cannot be noted is read in the ordinary way. */
  if (do_rd_kafka_interceptor_add_on_destroy(client, NAME, on_destroy, NULL)) return 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < CLIENTS_MAX; i++) {
    if (slots[i].client != NULL) continue;
    slots[i].messages = malloc(MESSAGES_MAX * sizeof *slots[i].messages);
    if (slots[i].messages != NULL) slots[i].client = client;
    break;
  }
  pthread_mutex_unlock(&lock);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* librdkafka calls this for every configuration that names the library, and for each copy of it. */
rd_kafka_resp_err_t conf_init(rd_kafka_conf_t *conf, void **opaque, char *reason, size_t size) {
  *opaque = NULL;
  if (!is_bound) {
    snprintf(reason, size, NAME " was not bound");
    return RD_KAFKA_RESP_ERR__STATE;
  }
  return do_rd_kafka_conf_interceptor_add_on_new(conf, NAME, on_new, NULL);
}

/* The number of the client with this name; -1 when there is none. A number stays valid until the client is destroyed. */
int packed_find(const char *name) {
  int found = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < CLIENTS_MAX && found < 0; i++) {
    if (slots[i].client != NULL && strcmp(do_rd_kafka_name(slots[i].client), name) == 0) found = i;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static slot_t *slot_of(int number) {
  if (number < 0 || number >= CLIENTS_MAX || slots[number].client == NULL) return NULL;
  return &slots[number];
}

static int64_t size_of(const rd_kafka_message_t *message) {
  int64_t size = sizeof(entry_t) + message->len + message->key_len;
  rd_kafka_headers_t *headers;
  if (do_rd_kafka_message_headers(message, &headers)) return size;
  const char *name;
  const void *value;
  size_t length;
  for (size_t i = 0; !do_rd_kafka_header_get_all(headers, i, &name, &value, &length); i++)
    size += 2 * sizeof(int32_t) + strlen(name) + length;
  return size;
}

/* Takes what is ready, without waiting: at most `max` messages, and none more once they have `bytes_max`. Answers the
 * bytes that packed_take needs, 0 for no message, -1 for a client that is gone. `result`: their number, and the error
 * after them, 0 for none. They stay here until packed_take. */
int64_t packed_read(int number, int32_t max, int64_t bytes_max, int32_t result[2]) {
  int64_t bytes = -1;
  result[0] = result[1] = 0;
  pthread_mutex_lock(&lock);
  slot_t *slot = slot_of(number);
  if (slot != NULL && slot->count == 0) {
    const rd_kafka_topic_t *topic = NULL;
    if (max > MESSAGES_MAX) max = MESSAGES_MAX;
    while (slot->count < max && slot->bytes < bytes_max) {
      rd_kafka_message_t *message = do_rd_kafka_consumer_poll(slot->client, 0);
      if (message == NULL) break;
      if (message->err) {
        rd_kafka_resp_err_t error = message->err;
        do_rd_kafka_message_destroy(message);
        if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
        if (error != RD_KAFKA_RESP_ERR__TIMED_OUT && error != RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE)
          result[1] = error;
        break;
      }
      if (message->rkt != topic) slot->bytes += strlen(do_rd_kafka_topic_name(message->rkt));
      topic = message->rkt;
      slot->bytes += size_of(message);
      slot->messages[slot->count++] = message;
    }
  }
  if (slot != NULL) {
    result[0] = slot->count;
    bytes = slot->bytes;
  }
  pthread_mutex_unlock(&lock);
  return bytes;
}

static int32_t put(char *buffer, int64_t *at, const void *from, size_t length) {
  int64_t begin = *at;
  if (length > 0) memcpy(buffer + begin, from, length);
  *at += length;
  return (int32_t)begin;
}

static void put_headers(entry_t *entry, char *buffer, int64_t *at, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers;
  entry->headers_at = (int32_t)*at;
  entry->headers_count = 0;
  if (do_rd_kafka_message_headers(message, &headers)) return;
  const char *name;
  const void *value;
  size_t length;
  for (size_t i = 0; !do_rd_kafka_header_get_all(headers, i, &name, &value, &length); i++) {
    int32_t lengths[2] = {(int32_t)strlen(name), value == NULL ? -1 : (int32_t)length};
    put(buffer, at, lengths, sizeof lengths);
    put(buffer, at, name, lengths[0]);
    put(buffer, at, value, value == NULL ? 0 : length);
    entry->headers_count++;
  }
}

/* Copies what packed_read took, entries first, and gives the messages back to librdkafka. 0 on success; nothing is
 * copied into a buffer that is too small. */
int packed_take(int number, void *buffer, int64_t size) {
  int code = -1;
  pthread_mutex_lock(&lock);
  slot_t *slot = slot_of(number);
  if (slot != NULL && size >= slot->bytes && size <= INT32_MAX) {
    entry_t *entries = buffer;
    int64_t at = (int64_t)slot->count * sizeof(entry_t);
    for (int32_t i = 0; i < slot->count; i++) {
      const rd_kafka_message_t *message = slot->messages[i];
      entry_t *entry = &entries[i];
      rd_kafka_timestamp_type_t type;
      entry->offset = (double)message->offset;
      entry->timestamp = (double)do_rd_kafka_message_timestamp(message, &type);
      entry->timestamp_type = type;
      entry->partition = message->partition;
      if (i > 0 && slot->messages[i - 1]->rkt == message->rkt) {
        entry->topic_at = entries[i - 1].topic_at;
        entry->topic_length = entries[i - 1].topic_length;
      } else {
        const char *topic = do_rd_kafka_topic_name(message->rkt);
        entry->topic_length = (int32_t)strlen(topic);
        entry->topic_at = put(buffer, &at, topic, entry->topic_length);
      }
      entry->key_length = message->key == NULL ? -1 : (int32_t)message->key_len;
      entry->key_at = put(buffer, &at, message->key, message->key_len);
      entry->value_length = message->payload == NULL ? -1 : (int32_t)message->len;
      entry->value_at = put(buffer, &at, message->payload, message->len);
      put_headers(entry, buffer, &at, message);
    }
    discard(slot);
    code = 0;
  }
  pthread_mutex_unlock(&lock);
  return code;
}
