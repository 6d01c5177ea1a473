package io.hypercalld.api.rest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What came of changes that carried a key, so that whoever asks again is told again and nothing is
 * done twice. Thread-safe.
 *
 * @see "draft-ietf-httpapi-idempotency-key-header-07"
 */
final class IdempotencyKeys {
  static final int MOST = 10_000;
  static final long LONGEST_NANOS = Duration.ofHours(24).toNanos();

  private static final long MOST_BYTES = 32L << 20;
  private static final int LONGEST_KEY = 255;
  private static final int FIRST_FAILURE = 500;
  private static final int NOT_IMPLEMENTED = 501;
  private static final int NO_ROOM = 507;
  private static final String HEADER = "Idempotency-Key";

  private final Map<String, Kept> kept = new LinkedHashMap<>();
  private final LongSupplier clock;
  private long bytes;

  /** What a key stands for; {@code answer} is empty while it is under way. */
  private record Kept(String request, long since, Optional<Encoded> answer) {
    int size() {
      return answer.map(encoded -> encoded.body().length).orElse(0);
    }
  }

  IdempotencyKeys() {
    this(System::nanoTime);
  }

  IdempotencyKeys(LongSupplier clock) {
    this.clock = clock;
  }

  /**
   * Has a request done, unless one with its key was.
   *
   * @throws Failure 400 no key; 409 it is being done; 422 the key was another request's
   */
  CompletableFuture<Encoded> once(Request request, Supplier<CompletableFuture<Encoded>> work) {
    Optional<String> key = request.header().apply(HEADER).map(IdempotencyKeys::parse);
    if (key.isEmpty()) {
      return work.get();
    }
    if (request.body().isFile()) {
      throw Failure.of(
          Problems.INVALID_HEADER, "%s is for bodies that are not read while they come", HEADER);
    }
    Kept begun = begin(key.get(), fingerprint(request));
    if (begun.answer.isPresent()) {
      return CompletableFuture.completedFuture(
          begun.answer.get().with("Idempotency-Replayed", "true"));
    }
    CompletableFuture<Encoded> done;
    try {
      done = work.get();
    } catch (RuntimeException e) {
      done = CompletableFuture.failedFuture(e);
    }
    return done.handle((answer, thrown) -> answer(request, answer, thrown))
        .whenComplete((answer, _) -> end(key.get(), begun, answer));
  }

  /** Refusals are answers, too, and told again. */
  private static Encoded answer(
      Request request, @Nullable Encoded answer, @Nullable Throwable thrown) {
    return thrown == null && answer != null
        ? answer
        : Thrown.refuse(request, Optional.ofNullable(thrown).orElseThrow(), request.id());
  }

  private static String parse(String header) {
    String key = header.strip();
    if (key.length() > 2 && key.startsWith("\"") && key.endsWith("\"")) {
      key = key.substring(1, key.length() - 1);
    }
    if (key.isEmpty() || key.length() > LONGEST_KEY) {
      throw Failure.of(Problems.INVALID_HEADER, "%s has 1 to %d characters", HEADER, LONGEST_KEY);
    }
    return key;
  }

  private synchronized Kept begin(String key, String request) {
    long now = clock.getAsLong();
    forget(now);
    Kept known = kept.get(key);
    if (known == null) {
      Kept begun = new Kept(request, now, Optional.empty());
      kept.put(key, begun);
      return begun;
    }
    if (!known.request.equals(request)) {
      throw Failure.of(Problems.KEY_REUSED, "the key %s was another request's", key);
    }
    if (known.answer.isEmpty()) {
      throw Failure.of(Problems.KEY_IN_USE, "the request of the key %s is under way", key);
    }
    return known;
  }

  /** What failed for reasons of its own may be tried again under the same key. */
  private synchronized void end(String key, Kept begun, Encoded answer) {
    // Another one may have begun since all was forgotten.
    if (kept.remove(key, begun) && isFinal(answer.status())) {
      Kept ended = new Kept(begun.request, begun.since, Optional.of(answer));
      kept.put(key, ended);
      bytes += ended.size();
    }
  }

  private static boolean isFinal(int status) {
    return status < FIRST_FAILURE || status == NOT_IMPLEMENTED || status == NO_ROOM;
  }

  private void forget(long now) {
    Iterator<Kept> oldest = kept.values().iterator();
    while (oldest.hasNext()) {
      Kept next = oldest.next();
      boolean tooMany = kept.size() >= MOST || bytes > MOST_BYTES;
      if (!tooMany && now - next.since < LONGEST_NANOS) {
        return;
      }
      if (next.answer.isPresent()) {
        bytes -= next.size();
        oldest.remove();
      }
    }
  }

  /** Forgets all but the request that has it forgotten. */
  synchronized void clear(Request cause) {
    Optional<String> key = cause.header().apply(HEADER).map(IdempotencyKeys::parse);
    Optional<Kept> own = key.map(kept::get);
    kept.clear();
    own.ifPresent(begun -> kept.put(key.orElseThrow(), begun));
    bytes = 0;
  }

  private static String fingerprint(Request request) {
    try {
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      hash.update((request.method() + " " + request.path()).getBytes(UTF_8));
      hash.update(new TreeMap<>(request.query()).toString().getBytes(UTF_8));
      hash.update((byte) 0);
      return HexFormat.of().formatHex(hash.digest(request.body().bytes()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
