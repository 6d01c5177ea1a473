package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.PageClaimAnswer.Stage;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import io.hypercalld.ioreq.server.IoServer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;

/**
 * What it costs that a device model claims pages, under each policy, and what writes and emulators
 * meet meanwhile. Confined to the thread that runs it.
 *
 * @see "documents/002, HVMMEM_ioreq_serverX"
 */
public final class PageClaimExperiment {
  private static final int[] RUNNING_VCPUS = {2, 8, 32};
  private static final int[] CALL_SIZES = {1, 128, PageClaimQuestion.TABLE_PAGES};

  private final PageClaimQuestion question;
  private final ClaimBench bench;
  private final List<PageClaimAnswer.Phase> phases = new ArrayList<>();
  private boolean sameMemory = true;

  private PageClaimExperiment(PageClaimQuestion question, ClaimBench bench) {
    this.question = question;
    this.bench = bench;
  }

  /**
   * Tries everything.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static PageClaimAnswer run(PageClaimQuestion question) {
    try (ClaimBench bench = new ClaimBench(question.memory().bytes())) {
      return new PageClaimExperiment(question, bench).answer();
    }
  }

  private PageClaimAnswer answer() {
    for (Unclaimed unclaimed : List.of(Unclaimed.REFUSE, Unclaimed.RAM)) {
      for (ClaimUpdate update : question.updates()) {
        for (int contexts = 1; contexts <= question.contexts(); contexts++) {
          workload(unclaimed, update, contexts);
        }
      }
    }
    List<PageClaimAnswer.Placement> placements =
        question.updates().stream().flatMap(this::placements).toList();
    long[] pages = pages(1);
    return new PageClaimAnswer(
        question,
        phases,
        placements,
        batches(pages),
        new RangeTrial(bench, pages).rows(),
        ClaimTrials.unclaimed(bench),
        ClaimTrials.accesses(bench),
        ClaimTrials.types(bench),
        sameMemory);
  }

  private RandomGenerator random(long salt) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(question.seed() + salt);
  }

  private int frames() {
    return Math.toIntExact(question.memory().bytes() >>> PageSize.SHIFT_4K);
  }

  /** The pages of some page tables, anywhere in the guest's memory; no two of them adjacent. */
  private long[] pages(int contexts) {
    RandomGenerator random = random(contexts);
    BitSet chosen = new BitSet(frames());
    for (int missing = contexts * PageClaimQuestion.TABLE_PAGES; missing > 0; ) {
      int gfn = random.nextInt(frames() / 2) * 2;
      missing -= chosen.get(gfn) ? 0 : 1;
      chosen.set(gfn);
    }
    return chosen.stream().asLongStream().toArray();
  }

  private static ClaimPolicies policies(Unclaimed unclaimed, ClaimUpdate update) {
    return new ClaimPolicies(
        unclaimed, ClaimPolicies.ClaimAccess.WRITE, update, ClaimPolicies.Destroyed.LEAVE, 1);
  }

  private void workload(Unclaimed unclaimed, ClaimUpdate update, int contexts) {
    bench.choose(policies(unclaimed, update));
    IoServer server = bench.server();
    long[] pages = pages(contexts);
    Map<Long, Long> written = new HashMap<>();
    // Where pages may wait for a server they do, as the work is then the claim's.
    boolean waiting = unclaimed == Unclaimed.RAM;
    Map<Stage, Runnable> stages = new HashMap<>();
    stages.put(Stage.TAG, () -> retype(pages, ClaimBench.IOREQ_SERVER));
    stages.put(Stage.CLAIM, () -> bench.claim(server));
    stages.put(Stage.WRITE, () -> write(pages, contexts, written));
    stages.put(Stage.RELEASE, () -> bench.release(server));
    stages.put(Stage.UNTAG, () -> retype(pages, ClaimBench.RAM_RW));
    List<Stage> order =
        waiting
            ? List.of(Stage.TAG, Stage.CLAIM, Stage.WRITE, Stage.RELEASE, Stage.UNTAG)
            : List.of(Stage.CLAIM, Stage.TAG, Stage.WRITE, Stage.RELEASE);
    for (Stage stage : order) {
      bench.reset();
      stages.getOrDefault(stage, () -> {}).run();
      phases.add(
          new PageClaimAnswer.Phase(
              unclaimed,
              update,
              contexts,
              stage,
              bench.cost(),
              bench.requests(),
              bench.ioCounters().lostWrites()));
    }
    destroy(server);
    written.forEach(this::check);
  }

  private void retype(long[] pages, int type) {
    for (long page : pages) {
      bench.retype(page, 1, type);
    }
  }

  private void write(long[] pages, int contexts, Map<Long, Long> written) {
    RandomGenerator random = random(-contexts);
    for (int number = 1; number <= question.writes(); number++) {
      long page = pages[random.nextInt(pages.length)] << PageSize.SHIFT_4K;
      long gpa = page + random.nextLong(PageSize.BYTES_4K / Long.BYTES) * Long.BYTES;
      bench.access(gpa, Operation.WRITE, number);
      written.put(gpa, (long) number);
    }
  }

  private void check(long gpa, long data) {
    sameMemory &= bench.word(gpa) == data;
    bench.setWord(gpa, 0);
  }

  private void destroy(IoServer server) {
    bench.call(new DestroyIoreqServer(bench.guest().id(), server.id(), 0));
  }

  private Stream<PageClaimAnswer.Placement> placements(ClaimUpdate update) {
    return Stream.of(
        new PageClaimAnswer.Placement(update, "lowest", releaseFrom(update, 0)),
        new PageClaimAnswer.Placement(
            update, "highest", releaseFrom(update, frames() - PageClaimQuestion.TABLE_PAGES)));
  }

  private PageClaimAnswer.Cost releaseFrom(ClaimUpdate update, long first) {
    bench.choose(policies(Unclaimed.REFUSE, update));
    IoServer server = bench.server();
    bench.claim(server);
    bench.retype(first, PageClaimQuestion.TABLE_PAGES, ClaimBench.IOREQ_SERVER);
    bench.reset();
    bench.release(server);
    PageClaimAnswer.Cost cost = bench.cost();
    destroy(server);
    return cost;
  }

  private List<PageClaimAnswer.Batch> batches(long[] scattered) {
    bench.choose(policies(Unclaimed.REFUSE, ClaimUpdate.LAZY));
    IoServer server = bench.server();
    bench.claim(server);
    List<PageClaimAnswer.Batch> rows = new ArrayList<>();
    rows.add(
        batch(
            "anywhere",
            1,
            () -> {
              retype(scattered, ClaimBench.IOREQ_SERVER);
              retype(scattered, ClaimBench.RAM_RW);
            }));
    for (int size : CALL_SIZES) {
      rows.add(
          batch(
              "in a row",
              size,
              () -> {
                retypeRow(size, ClaimBench.IOREQ_SERVER);
                retypeRow(size, ClaimBench.RAM_RW);
              }));
    }
    bench.release(server);
    destroy(server);
    return rows;
  }

  private void retypeRow(int size, int type) {
    for (int done = 0; done < PageClaimQuestion.TABLE_PAGES; done += size) {
      bench.retype(done, Math.min(size, PageClaimQuestion.TABLE_PAGES - done), type);
    }
  }

  private PageClaimAnswer.Batch batch(String order, int perCall, Runnable work) {
    bench.reset();
    work.run();
    PageClaimAnswer.Cost cost = bench.cost();
    List<PageClaimAnswer.Interrupts> interrupts = new ArrayList<>();
    for (int vcpus : RUNNING_VCPUS) {
      interrupts.add(
          new PageClaimAnswer.Interrupts(
              vcpus, cost.flushes() * vcpus, bench.flushingCalls() * vcpus));
    }
    return new PageClaimAnswer.Batch(order, perCall, cost, bench.flushingCalls(), interrupts);
  }
}
