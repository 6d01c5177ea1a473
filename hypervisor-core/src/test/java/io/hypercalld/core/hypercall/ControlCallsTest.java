package io.hypercalld.core.hypercall;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.ret;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The calls of control domains and device models: what is refused, and what goes on later. */
class ControlCallsTest {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final DomainId D = new DomainId(1);
  private static final DomainId PV = new DomainId(2);
  private static final Mfn REGISTERS = new Mfn(0xf_0000);

  private SimulatedHost host;

  @BeforeEach
  void boot() {
    host = SimulatedHost.booted();
    host.createGuest(HVM_HAP);
    host.create(PV, 0);
  }

  @AfterEach
  void check() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  static Stream<Arguments> refused() {
    return Stream.of(capabilities(), lifecycle(), pages()).flatMap(rows -> rows);
  }

  private static Stream<Arguments> capabilities() {
    return Stream.of(
        row("iomem_permission none", -22, c -> iomem(c, DOM0, 0xf_0000, 0)),
        row("iomem_permission wrapping", -22, c -> iomem(c, DOM0, -1, 2)),
        row("iomem_permission kept", -1, c -> iomem(c, DOM0, 0xfec00, 1)),
        row("iomem_permission by a guest", -1, c -> iomem(c, D, 0xf_0000, 1)),
        row(
            "ioport_permission beyond",
            -22,
            c ->
                c.ioCapabilities()
                    .ioportPermission(
                        DOM0, new IoportPermission(D, new Word(0xffff), new Word(2), 1))),
        row(
            "ioport_permission kept",
            -1,
            c ->
                c.ioCapabilities()
                    .ioportPermission(
                        DOM0, new IoportPermission(D, new Word(0x20), new Word(1), 1))),
        row(
            "irq_permission beyond",
            -22,
            c -> c.ioCapabilities().irqPermission(DOM0, new IrqPermission(D, 256, 1))),
        row(
            "gsi_permission flags",
            -22,
            c -> c.ioCapabilities().gsiPermission(DOM0, new GsiPermission(D, 5, 2, 0))),
        row("memory_mapping not permitted", -1, c -> map(c, 0x900, REGISTERS, 1)),
        row("memory_mapping too wide", -22, c -> map(c, 0x900, new Mfn(1L << 34), 1)),
        row("memory_mapping none", -22, c -> map(c, 0x900, REGISTERS, 0)),
        row(
            "memory_mapping removing RAM",
            -22,
            c ->
                c.ioCapabilities()
                    .memoryMapping(
                        DOM0, new MemoryMapping(D, new Gfn(5), REGISTERS, new Word(1), 0, 0))),
        row(
            "ioport_mapping PV",
            -95,
            c ->
                c.ioCapabilities()
                    .ioportMapping(
                        DOM0, new IoportMapping(PV, new Word(1), new Word(1), new Word(1), 1))),
        row(
            "ioport_mapping removing nothing",
            -2,
            c ->
                c.ioCapabilities()
                    .ioportMapping(
                        DOM0, new IoportMapping(D, new Word(1), new Word(1), new Word(1), 0))));
  }

  private static Stream<Arguments> lifecycle() {
    return Stream.of(
        row(
            "resumedomain self",
            -22,
            c -> c.lifecycle().resumeDomain(DOM0, new ResumeDomain(DOM0))),
        row(
            "setdebugging self",
            -22,
            c -> c.lifecycle().setDebugging(DOM0, new SetDebugging(DOM0, 1))),
        row("getvcpuinfo missing", -2, c -> c.lifecycle().getVcpuInfo(DOM0, new GetVcpuInfo(D, 2))),
        row(
            "sendtrigger missing vCPU",
            -3,
            c -> c.lifecycle().sendTrigger(DOM0, new SendTrigger(D, 0, 2))),
        row(
            "sendtrigger unknown",
            -38,
            c -> c.lifecycle().sendTrigger(DOM0, new SendTrigger(D, 1, 0))),
        row(
            "get_domain_state pad",
            -22,
            c -> c.lifecycle().getDomainState(DOM0, new GetDomainState(D, 1))),
        row(
            "get_domain_state of any by a guest",
            -13,
            c -> c.lifecycle().getDomainState(D, new GetDomainState(DomainId.INVALID, 0))));
  }

  private static Stream<Arguments> pages() {
    return Stream.of(
        row(
            "set_broken_page_p2m hole",
            -22,
            c -> c.pages().setBrokenPage(DOM0, new SetBrokenPageP2m(D, new Gfn(0x900)))),
        row("audit_p2m PV", -22, c -> c.pages().auditP2m(DOM0, new AuditP2m(PV))),
        row("shadow_op self", -22, c -> shadow(c, DOM0, 32, 4)),
        row("shadow_op enable nothing", -22, c -> shadow(c, D, 32, 0)),
        row("shadow_op unknown", -22, c -> shadow(c, D, 13, 0)),
        row("shadow_op PV without vCPU", -22, c -> shadow(c, PV, 32, 4)),
        row("shadow_op peek mode", -22, c -> shadow(c, D, 12, 2)),
        row("set_mem_type own", -1, c -> type(c, DOM0, 0, 1, 0)),
        row("set_mem_type PV", -22, c -> type(c, PV, 0, 1, 0)),
        row("set_mem_type none", -22, c -> type(c, D, 0, 0, 0)),
        row("set_mem_type beyond", -22, c -> type(c, D, 0x1ff, 2, 0)),
        row("set_mem_type 3", -22, c -> type(c, D, 5, 1, 3)),
        row("set_mem_type 2^32", -22, c -> type(c, D, 5, 1, 1L << 32)),
        row("set_mem_type without server", -22, c -> type(c, D, 5, 1, 4)),
        row(
            "track_dirty_vram too large",
            -22,
            c ->
                c.logDirty()
                    .trackDirtyVram(
                        DOM0, new TrackDirtyVram(D, 262_145, 0, new Gfn(0), 2, Optional.empty()))),
        row(
            "get_mem_type PV",
            -22,
            c -> c.deviceModel().getMemType(DOM0, new GetMemType(PV, new Gfn(0)))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void refusedCall_leavesTheDigestUnchanged(
      String name, long expected, Function<ControlCalls, Outcome> call) {
    String before = host.digest();

    long answer = ret(() -> call.apply(host.hypervisor().controlCalls()));

    assertThat(answer).as(name).isEqualTo(expected);
    assertThat(host.digest()).as(name).isEqualTo(before);
  }

  @Test
  void setMemType_preempted_goesOnBehindWhatIsDone() {
    host.limit(D, 2048);
    host.populate(D, 9, 0x200, 0x400);
    host.hypervisor().continuations().preemptEvery(1);
    ControlCalls calls = host.hypervisor().controlCalls();

    Outcome outcome =
        calls.deviceModel().setMemType(DOM0, new SetMemType(D, 0x600, 1, 0, new Gfn(0)));
    assertThat(host.lookup(D, 0xff).type()).isEqualTo(P2mType.RAM_RO);
    assertThat(host.lookup(D, 0x100).type()).isEqualTo(P2mType.RAM_RW);
    int stops = 0;
    while (outcome instanceof Outcome.Preempted(Hypercall rest, Object _)) {
      stops++;
      outcome = calls.deviceModel().setMemType(DOM0, (SetMemType) rest);
    }

    assertThat(outcome.ret()).isZero();
    assertThat(stops).isEqualTo(5);
    assertThat(host.lookup(D, 0x5ff).type()).isEqualTo(P2mType.RAM_RO);
  }

  @Test
  void modifiedMemory_preempted_marksEveryPageOnce() {
    host.limit(D, 2048);
    host.populate(D, 9, 0x200, 0x400);
    host.domain(D).logDirty().enable();
    host.hypervisor().continuations().preemptEvery(1);
    LogDirtyCalls calls = host.hypervisor().controlCalls().logDirty();
    var extents =
        List.of(
            new ModifiedMemory.Extent(3, 0, new Gfn(0x5f0)),
            new ModifiedMemory.Extent(0x5ff, 0, new Gfn(0)));

    Outcome outcome =
        calls.modifiedMemory(
            DOM0,
            new ModifiedMemory(D, Optional.empty(), 0, Optional.empty(), Optional.of(extents)));
    int stops = 0;
    while (outcome instanceof Outcome.Preempted(Hypercall rest, Object _)) {
      stops++;
      outcome = calls.modifiedMemory(DOM0, (ModifiedMemory) rest);
    }

    assertThat(outcome.ret()).isZero();
    assertThat(stops).isEqualTo(3);
    assertThat(host.domain(D).logDirty().dirtyCount()).isEqualTo(0x5ff);
  }

  @Test
  void changedDomains_areToldOnceEach() {
    LifecycleCalls calls = host.hypervisor().controlCalls().lifecycle();
    while (ret(() -> calls.getDomainState(DOM0, new GetDomainState(DomainId.INVALID, 0))) == 0) {
      // Those that were made are told first.
    }
    host.domain(D).run().shutDown(0);

    Outcome told = calls.getDomainState(DOM0, new GetDomainState(DomainId.INVALID, 0));

    assertThat(told)
        .isInstanceOfSatisfying(
            Outcome.Success.class,
            success ->
                assertThat(success.out())
                    .isInstanceOfSatisfying(
                        DomainStateReport.class,
                        report -> {
                          assertThat(report.domain()).isEqualTo(D);
                          assertThat(report.state()).isEqualTo(0x3);
                        }));
    assertThat(ret(() -> calls.getDomainState(DOM0, new GetDomainState(DomainId.INVALID, 0))))
        .isEqualTo(-2);
  }

  private static Outcome iomem(ControlCalls c, DomainId by, long mfn, long count) {
    return c.ioCapabilities()
        .iomemPermission(by, new IomemPermission(D, new Mfn(mfn), new Word(count), 1));
  }

  private static Outcome map(ControlCalls c, long gfn, Mfn mfn, long count) {
    return c.ioCapabilities()
        .memoryMapping(DOM0, new MemoryMapping(D, new Gfn(gfn), mfn, new Word(count), 1, 0));
  }

  private static Outcome shadow(ControlCalls c, DomainId id, long op, long mode) {
    return c.logDirty().shadowOp(DOM0, new ShadowOp(id, op, mode, 0, Optional.empty()));
  }

  private static Outcome type(ControlCalls c, DomainId id, long gfn, long count, long type) {
    return c.deviceModel().setMemType(DOM0, new SetMemType(id, count, type, 0, new Gfn(gfn)));
  }

  private static Arguments row(String name, long ret, Function<ControlCalls, Outcome> call) {
    return Arguments.of(name, ret, call);
  }
}
