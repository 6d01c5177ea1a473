package io.hypercalld.core.guest;

import io.hypercalld.core.bits.Word;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What became of a guest's access. Immutable.
 *
 * @param data what was read, or the sum that was written back; empty where the instruction did not
 *     complete, and for a write
 * @param server the ioreq server that is to answer
 * @param request the request that it is to answer
 * @param reason why it ended so, for people; empty where it was done
 */
public record AccessOutcome(
    Verdict outcome,
    Optional<Word> data,
    Optional<Integer> server,
    Optional<Long> request,
    Optional<String> reason) {
  /** The servers that a domain may have, so that no access makes them anew. */
  private static final List<Optional<Integer>> SERVERS =
      IntStream.range(0, 8).mapToObj(Optional::of).toList();

  /** Why it waits for each of them. */
  private static final List<Optional<String>> WAITS =
      IntStream.range(0, 8)
          .mapToObj(server -> Optional.of("the vCPU waits for ioreq server " + server))
          .toList();

  /** How it ended. */
  public enum Verdict {
    /** Memory was read or written. */
    DONE,
    /** Completed without memory. */
    EMULATED,
    /** Completed, and what was to be written was dropped. */
    DISCARDED,
    /** Not completed: the vCPU tries again for ever until something else changes. */
    RETRY,
    /** Not completed: the vCPU waits for an emulator, a pager or a monitor. */
    PENDING,
    /** Not completed: an exception in the guest, or its end. */
    FAULT
  }

  /** The instruction completed. */
  public static AccessOutcome completed(Verdict verdict, Optional<Word> data) {
    return new AccessOutcome(verdict, data, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** It waits for a server's answer. */
  public static AccessOutcome waiting(int server, long request) {
    return new AccessOutcome(
        Verdict.PENDING,
        Optional.empty(),
        SERVERS.get(server),
        Optional.of(request),
        WAITS.get(server));
  }

  /** It did not complete. */
  public static AccessOutcome stopped(Verdict verdict, String reason) {
    return new AccessOutcome(
        verdict, Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(reason));
  }

  /** The same, with the last request that was made for it. */
  public AccessOutcome after(int lastServer, long lastRequest) {
    return new AccessOutcome(
        outcome, data, SERVERS.get(lastServer), Optional.of(lastRequest), reason);
  }

  /** The same for another reason. */
  public AccessOutcome because(String otherReason) {
    return new AccessOutcome(outcome, data, server, request, Optional.of(otherReason));
  }

  /** Whether the vCPU is still at the instruction. */
  public boolean isUnfinished() {
    return outcome == Verdict.PENDING || outcome == Verdict.RETRY;
  }
}
