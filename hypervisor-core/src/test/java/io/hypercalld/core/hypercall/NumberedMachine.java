package io.hypercalld.core.hypercall;

import static io.hypercalld.core.SimulatedHost.ret;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;

/** The machine of one row and the calls that rows are made of. */
record NumberedMachine(SimulatedHost host) {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final DomainId D = new DomainId(1);

  Domain d() {
    return host.domain(D);
  }

  long mfn(long gfn) {
    return host.lookup(D, gfn).mfn().value();
  }

  P2mType type(long gfn) {
    return host.lookup(D, gfn).type();
  }

  int order(long gfn) {
    return host.lookup(D, gfn).order();
  }

  boolean isHole(long gfn) {
    return type(gfn) == P2mType.MMIO_DM;
  }

  long m2p(long mfn) {
    return host.hypervisor().frames().m2p(mfn);
  }

  MemoryCalls memory() {
    return host.hypervisor().memoryCalls();
  }

  DomainCalls domains() {
    return host.hypervisor().domainCalls();
  }

  long maximumGpfn() {
    return ret(() -> memory().maximumGpfn(DOM0, new MaximumGpfn(D)));
  }

  long current() {
    return ret(() -> memory().currentReservation(DOM0, new CurrentReservation(D)));
  }

  long populate(DomainId caller, DomainId id, int order, long flags, GuestFrames gfns) {
    return ret(
        () ->
            memory()
                .populatePhysmap(
                    caller,
                    new PopulatePhysmap(id, gfns, Optional.empty(), order, new Word(flags))));
  }

  long remove(long gfn) {
    return ret(() -> memory().removeFromPhysmap(DOM0, new RemoveFromPhysmap(D, new Gfn(gfn))));
  }

  long add(long space, long idx, long gpfn, int size) {
    return ret(
        () ->
            memory()
                .addToPhysmap(
                    DOM0, new AddToPhysmap(D, size, space, new Word(idx), new Gfn(gpfn))));
  }

  Outcome batch(int space, GuestFrames idxs, GuestFrames gpfns) {
    return memory()
        .addToPhysmapBatch(DOM0, new AddToPhysmapBatch(D, space, 0, idxs, gpfns, Optional.empty()));
  }

  long create(CreateDomain args) {
    return ret(() -> domains().createDomain(DOM0, args));
  }

  DomainReport report(DomainId id) {
    Outcome outcome = domains().queryDomain(DOM0, new QueryDomain(id));
    if (outcome instanceof Outcome.Success(long _, DomainReport report)) {
      return report;
    }
    throw new AssertionError(outcome);
  }

  long reportRet(DomainId caller, DomainId id) {
    return ret(() -> domains().queryDomain(caller, new QueryDomain(id)));
  }

  long pause(DomainId caller, DomainId id) {
    return ret(() -> domains().pauseDomain(caller, new PauseDomain(id)));
  }

  long unpause(DomainId id) {
    return ret(() -> domains().unpauseDomain(DOM0, new UnpauseDomain(id)));
  }

  long maxVcpus(DomainId id, long max) {
    return ret(() -> domains().maxVcpus(DOM0, new MaxVcpus(id, max)));
  }

  long setTarget(DomainId id, DomainId target) {
    return ret(() -> domains().setTarget(DOM0, new SetTarget(id, target)));
  }
}
