package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.state.Servers;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PendingIo;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.hypercall.MapMemType;
import io.hypercalld.ioreq.server.BufferedMode;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Ioreq servers of dom0's, one for each guest, which answer at once and write nothing. */
final class MachineServers implements Servers {
  private static final int IOREQ_SERVER = 4;
  private static final long WRITES = 2;

  private final Map<DomainId, Integer> servers = new TreeMap<>();
  private final Machine machine;

  MachineServers(Machine machine) {
    this.machine = machine;
  }

  @Override
  public void claim(DomainId guest) {
    servers.computeIfAbsent(guest, this::compose);
    map(guest, WRITES);
  }

  @Override
  public void release(DomainId guest) {
    map(guest, 0);
  }

  @Override
  public void destroy(DomainId guest) {
    int server = Objects.requireNonNull(servers.remove(guest));
    assertThat(machine.call(DomainId.DOM0, new DestroyIoreqServer(guest, server, 0)))
        .isInstanceOf(Outcome.Success.class);
  }

  @Override
  public void refuseClaim(DomainId guest) {
    int server = compose(guest);
    assertThat(mapped(guest, server, WRITES).ret()).isEqualTo(-Errno.EBUSY.number());
    assertThat(machine.call(DomainId.DOM0, new DestroyIoreqServer(guest, server, 0)))
        .isInstanceOf(Outcome.Success.class);
  }

  private int compose(DomainId guest) {
    return machine.execute(new ComposeServer(guest, BufferedMode.OFF, List.of(), true)).id();
  }

  private Outcome mapped(DomainId guest, int server, long flags) {
    return machine.call(
        DomainId.DOM0, new MapMemType(guest, server, IOREQ_SERVER, flags, new Word(0)));
  }

  private void map(DomainId guest, long flags) {
    int server = servers.getOrDefault(guest, -1);
    assertThat(mapped(guest, server, flags)).isInstanceOf(Outcome.Success.class);
  }

  @Override
  public AccessOutcome access(DomainId guest, GuestRequest request) {
    return machine.execute(new AccessGuest(guest, request));
  }

  @Override
  public void complete(DomainId guest, GuestRequest write, AccessOutcome outcome) {
    Domain domain = machine.hypervisor().domains().byId(guest);
    assertThat(outcome.outcome()).isEqualTo(Verdict.PENDING);
    PendingIo asked = domain.facet(DomainIo.class).oldest(write.vcpu()).orElseThrow();
    assertThat(asked.request().address()).isEqualTo(write.gpa().value());
    assertThat(asked.request().data()).isEqualTo(write.data().value());
    machine.execute(new AnswerRequest(guest, asked.server().id(), asked.number(), new Word(0)));
    assertThat(access(guest, write).outcome()).isIn(Verdict.DONE, Verdict.EMULATED);
  }
}
