package io.hypercalld.core.hypercall;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.PageSize;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Large extents populated in one call are as if they had been populated one by one. */
class PopulateInRunsTest {
  private static final long GIB = 1L << 30;
  private static final long FIRST = 1L << 18;

  /** What was left behind, what was answered, and the steps that it took. */
  private record Left(String digest, long populated, long continuations, long longestStep) {}

  private interface Populating {
    long of(SimulatedHost host, DomainId id, GuestFrames extents, int order);
  }

  @ParameterizedTest(name = "{0} extents of order {1}, {2} pages apart, at most {3}, {4} claimed")
  @CsvSource({
    "100, 9, 512, 1048576, 0",
    "600, 9, 512, 1048576, 0",
    "100, 9, 513, 1048576, 0",
    "100, 9, 1024, 1048576, 0",
    "100, 9, 512, 20000, 0",
    "100, 9, 512, 1048576, 30000",
    "5, 18, 262144, 1048576, 0",
    "5, 10, 1024, 1048576, 0",
  })
  void extents_atOnceOrOneByOne_leaveTheSameBehind(
      int count, int order, long stride, long limit, long claimed) {
    GuestFrames extents =
        SimulatedHost.frames(LongStream.range(0, count).map(i -> FIRST + i * stride).toArray());

    Left atOnce = populated(extents, order, limit, claimed, PopulateInRunsTest::atOnce);
    Left stepByStep = populated(extents, order, limit, claimed, PopulateInRunsTest::stepByStep);
    Left oneByOne = populated(extents, order, limit, claimed, PopulateInRunsTest::oneByOne);

    assertThat(atOnce).isEqualTo(stepByStep);
    assertThat(atOnce.digest()).isEqualTo(oneByOne.digest());
    assertThat(atOnce.populated()).isEqualTo(oneByOne.populated()).isPositive();
    assertThat(atOnce.longestStep()).isEqualTo(1L << order);
    assertThat(atOnce.continuations()).isGreaterThanOrEqualTo(atOnce.populated() - 1);
  }

  private static Left populated(
      GuestFrames extents, int order, long limit, long claimed, Populating populating) {
    try (SimulatedHost host = new SimulatedHost(5 * GIB)) {
      host.hypervisor().bootDom0();
      DomainId other = host.create(SimulatedHost.HVM_HAP);
      host.limit(other, 64);
      host.populate(other, 0, 0, 1, 2);
      DomainId id = host.create(SimulatedHost.HVM_HAP);
      host.limit(id, limit);
      host.hypervisor()
          .domainCalls()
          .setPagingMempoolSize(
              DomainId.DOM0,
              new SetPagingMempoolSize(id, new Word(300L * PageSize.SIZE_4K.bytes())));
      host.domain(id).reservation().claim(claimed);
      CallCounters calls = host.domain(DomainId.DOM0).calls();
      calls.reset();

      long count = populating.of(host, id, extents, order);

      return new Left(host.digest(), count, calls.continuations(), calls.longestStep());
    }
  }

  private static long atOnce(SimulatedHost host, DomainId id, GuestFrames extents, int order) {
    return host.populate(id, order, extents);
  }

  private static long oneByOne(SimulatedHost host, DomainId id, GuestFrames extents, int order) {
    long done = 0;
    while (done < extents.count() && host.populate(id, order, extents.at(done)) == 1) {
      done++;
    }
    return done;
  }

  private static long stepByStep(SimulatedHost host, DomainId id, GuestFrames extents, int order) {
    Continuations continuations = host.hypervisor().continuations();
    continuations.preemptEvery(3);
    PopulatePhysmap call = new PopulatePhysmap(id, extents, Optional.empty(), order, new Word(0));
    Outcome outcome = host.hypervisor().memoryCalls().populatePhysmap(DomainId.DOM0, call);
    while (outcome instanceof Outcome.Preempted(Hypercall rest, Object _)) {
      PopulatePhysmap next = (PopulatePhysmap) rest;
      assertThat((next.startExtent() - call.startExtent()) % 3).isZero();
      outcome = host.hypervisor().memoryCalls().populatePhysmap(DomainId.DOM0, next);
    }
    continuations.preemptEvery(0);
    return outcome.ret();
  }
}
