package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.IoreqRule;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;

/** What a claim is to the P2M, with no server behind it: writes are tried again and again. */
final class BareServers implements Servers {
  private static final IoreqRule WRITES = new IoreqRule(true, false, true);

  private final Hypervisor hypervisor;

  BareServers(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  @Override
  public void claim(DomainId guest) {
    p2m(guest).types().setIoreq(P2mType.IOREQ_SERVER, WRITES);
  }

  @Override
  public void release(DomainId guest) {
    P2mTable p2m = p2m(guest);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
    p2m.types().changeAll(P2mType.IOREQ_SERVER, P2mType.RAM_RW);
    p2m.types().finishTypeChange(new Gfn(0), p2m.maxMappedGfn().value() + 1);
  }

  @Override
  public void destroy(DomainId guest) {
    p2m(guest).types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
  }

  /** There is nobody to ask. */
  @Override
  public void refuseClaim(DomainId guest) {
    assertThat(p2m(guest).entries(P2mType.IOREQ_SERVER)).isPositive();
  }

  @Override
  public AccessOutcome access(DomainId guest, GuestRequest request) {
    return hypervisor.guestAccess().perform(hypervisor.domains().byId(guest), request);
  }

  @Override
  public void complete(DomainId guest, GuestRequest write, AccessOutcome outcome) {
    assertThat(outcome.outcome()).isEqualTo(AccessOutcome.Verdict.RETRY);
  }

  private P2mTable p2m(DomainId guest) {
    return hypervisor.domains().byId(guest).p2m();
  }
}
