package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Destroyed;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Servers, ranges, claims, pages, accesses and log-dirty at random, against a model. */
class PageClaimStateTest {
  private static final int STEPS = 150;

  static List<ClaimPolicies> policies() {
    List<ClaimPolicies> all = new ArrayList<>();
    for (Unclaimed unclaimed : Unclaimed.values()) {
      for (ClaimUpdate update : ClaimUpdate.values()) {
        for (ClaimAccess access : ClaimAccess.values()) {
          for (Destroyed destroyed : Destroyed.values()) {
            all.add(new ClaimPolicies(unclaimed, access, update, destroyed, 1 + all.size() % 4));
          }
        }
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("policies")
  void anything_underThePolicy_isAsTheModelHasIt(ClaimPolicies policies) {
    try (PageClaimRun run = new PageClaimRun(policies, policies.toString().hashCode())) {
      for (int step = 0; step < STEPS; step++) {
        run.step();
      }
      run.end();
    }
  }

  @Test
  void theSame_twice_endsInTheSameState() {
    assertThat(digestAfter(7)).isEqualTo(digestAfter(7)).isNotEqualTo(digestAfter(8));
  }

  private static String digestAfter(long seed) {
    try (PageClaimRun run = new PageClaimRun(ClaimPolicies.SHIPPED, seed)) {
      for (int step = 0; step < STEPS; step++) {
        run.step();
      }
      return run.digest();
    }
  }
}
