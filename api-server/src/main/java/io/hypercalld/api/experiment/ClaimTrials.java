package io.hypercalld.api.experiment;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Destroyed;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import io.hypercalld.ioreq.server.IoServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What guests and emulators meet at claimed pages: questions 4 to 6. Never instantiated. */
final class ClaimTrials {
  private static final int ACCESSES = 1000;
  private static final int PAGES = 2;
  private static final int[] READ_PERCENT = {0, 50, 90};
  private static final int PERCENT = 100;

  private ClaimTrials() {}

  private static ClaimPolicies policies(Unclaimed unclaimed, ClaimAccess access, int types) {
    return new ClaimPolicies(unclaimed, access, ClaimUpdate.LAZY, Destroyed.LEAVE, types);
  }

  /** Writes to pages that no server has, and to pages whose server was destroyed. */
  static List<PageClaimAnswer.Lost> unclaimed(ClaimBench bench) {
    List<PageClaimAnswer.Lost> rows = new ArrayList<>();
    for (Unclaimed policy : Unclaimed.values()) {
      bench.choose(policies(policy, ClaimAccess.WRITE, 1));
      Optional<Errno> refused =
          bench.tries(
              new SetMemType(bench.guest().id(), PAGES, ClaimBench.IOREQ_SERVER, 0, new Gfn(0)));
      rows.add(lost(bench, policy.toString(), refused));
      bench.retype(0, PAGES, ClaimBench.RAM_RW);
    }
    bench.choose(ClaimPolicies.SHIPPED);
    IoServer server = bench.server();
    bench.claim(server);
    bench.retype(0, PAGES, ClaimBench.IOREQ_SERVER);
    destroy(bench, server);
    rows.add(lost(bench, "server destroyed", Optional.empty()));
    bench.retype(0, PAGES, ClaimBench.RAM_RW);
    return rows;
  }

  /** Looks where each write that was made ended, and believes no counter. */
  private static PageClaimAnswer.Lost lost(
      ClaimBench bench, String policy, Optional<Errno> refused) {
    bench.reset();
    long retries = 0;
    long lost = 0;
    for (long number = 1; number <= ACCESSES; number++) {
      long gpa = number * Long.BYTES;
      AccessOutcome outcome = bench.access(gpa, Operation.WRITE, number);
      if (outcome.outcome() == AccessOutcome.Verdict.RETRY) {
        retries++;
      } else if (bench.word(gpa) != number) {
        lost++;
      }
      bench.setWord(gpa, 0);
    }
    return new PageClaimAnswer.Lost(
        policy, refused.map(Errno::name), ACCESSES, retries, lost, lost * Long.BYTES);
  }

  /** How often a server is asked, by what it claims and what the guest does. */
  static List<PageClaimAnswer.Exits> accesses(ClaimBench bench) {
    List<PageClaimAnswer.Exits> rows = new ArrayList<>();
    for (ClaimAccess access : ClaimAccess.values()) {
      bench.choose(policies(Unclaimed.REFUSE, access, 1));
      IoServer server = bench.server();
      bench.claims(server, ClaimBench.IOREQ_SERVER);
      bench.retype(0, 1, ClaimBench.IOREQ_SERVER);
      for (int reads : READ_PERCENT) {
        rows.add(exits(bench, access, reads, Operation.WRITE));
        rows.add(exits(bench, access, reads, Operation.ADD));
      }
      bench.release(server);
      destroy(bench, server);
    }
    return rows;
  }

  private static PageClaimAnswer.Exits exits(
      ClaimBench bench, ClaimAccess access, int reads, Operation other) {
    bench.reset();
    for (int number = 0; number < ACCESSES; number++) {
      long gpa = (long) number * Long.BYTES % PageSize.BYTES_4K;
      bench.access(gpa, number % PERCENT < reads ? Operation.READ : other, 1);
    }
    return new PageClaimAnswer.Exits(access, reads, other == Operation.ADD, bench.requests());
  }

  /** Two emulators of one guest, a graphics processor's and a network card's. */
  static List<PageClaimAnswer.Types> types(ClaimBench bench) {
    List<PageClaimAnswer.Types> rows = new ArrayList<>();
    List<P2mType> types = List.copyOf(P2mType.IOREQ);
    for (int count = 1; count <= ClaimPolicies.MOST_TYPES; count++) {
      bench.choose(policies(Unclaimed.REFUSE, ClaimAccess.WRITE, count));
      IoServer graphics = bench.server();
      IoServer network = bench.server();
      bench.claim(graphics);
      int second = ClaimBench.IOREQ_SERVER + (count > 1 ? 1 : 0);
      Optional<Errno> refused = bench.claims(network, second);
      rows.add(
          new PageClaimAnswer.Types(
              count, refused.map(Errno::name), bits(types.get(count - 1).number())));
      destroy(bench, network);
      destroy(bench, graphics);
    }
    bench.choose(ClaimPolicies.SHIPPED);
    return rows;
  }

  private static int bits(int number) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(number);
  }

  private static void destroy(ClaimBench bench, IoServer server) {
    bench.call(new DestroyIoreqServer(bench.guest().id(), server.id(), 0));
  }
}
