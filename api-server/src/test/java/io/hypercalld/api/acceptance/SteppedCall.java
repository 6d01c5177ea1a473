package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;

/** A long hypercall that is stopped after every step. */
final class SteppedCall {
  /** A domain of nobody's interest, which is there to be paused and unpaused. */
  static final int BYSTANDER = 9;

  private static final int LONGEST_STEP = 512;
  private static final int RESTARTED = 503;

  private SteppedCall() {}

  /** Makes a call in two parts, and again step by step. */
  static Answer parts(XenHost h, String path, String arguments) {
    h.daemon().post("/_sim/snapshots", "{\"name\":\"before\"}");
    Answer stopped = stop(h, path, arguments);
    preempt(h, 0);
    Answer atOnce = h.daemon().post(rest(stopped), "");
    String left = h.digest();
    assertThat(h.daemon().post("/_sim/snapshots/before/restore", "").status()).isEqualTo(200);
    h.daemon().delete("/_sim/snapshots/before");

    Answer last = finish(h, stop(h, path, arguments));

    assertThat(last.body()).isEqualTo(atOnce.body());
    assertThat(h.digest()).isEqualTo(left);
    return last;
  }

  /** Has a call stop after its first step. */
  static Answer stop(XenHost h, String path, String arguments) {
    h.daemon().post("/v1/machine/counters/reset", "");
    preempt(h, 1);
    Answer stopped = post(h, path, arguments);
    assertThat(stopped.status()).as(stopped.body().toString()).isEqualTo(RESTARTED);
    return stopped;
  }

  private static String rest(Answer stopped) {
    return stopped.at("/hint").replaceFirst(".*(/_sim/continuations/\\d+).*", "$1");
  }

  /** Has a call that stopped go on step by step, with others between them. */
  static Answer finish(XenHost h, Answer stopped) {
    String rest = rest(stopped);
    Answer next = stopped;
    int stops = 0;
    while (next.status() == RESTARTED) {
      stops++;
      String other = "{'domain':%d}".formatted(BYSTANDER);
      assertThat(h.ret("domctl", "pausedomain", other)).isZero();
      assertThat(h.ret("domctl", "unpausedomain", other)).isZero();
      next = h.daemon().post(rest, "");
    }
    preempt(h, 0);
    assertThat(next.status()).as(next.body().toString()).isEqualTo(200);
    JsonNode counters = h.daemon().get("/v1/machine/counters").body();
    assertThat(counters.get("continuations").asInt()).isGreaterThanOrEqualTo(stops);
    assertThat(counters.get("longestStep").asInt()).isLessThanOrEqualTo(LONGEST_STEP);
    return next;
  }

  private static Answer post(XenHost h, String path, String arguments) {
    return h.daemon().post("/v1/hypercalls/" + path, arguments.replace('\'', '"'));
  }

  /** Has calls stop after so many steps from now on; 0 for never. */
  static void preempt(XenHost h, int every) {
    h.daemon().post("/_sim/preempt", "{\"every\":%d}".formatted(every));
  }
}
