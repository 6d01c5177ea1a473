package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.resource.AccessBatchRoutes.Results;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** How far a batch of instructions has come. Confined to the machine thread once it has begun. */
final class AccessBatch {
  private static final AccessOutcome NOT_BEGUN =
      AccessOutcome.stopped(Verdict.PENDING, "not begun: the vCPU is at an earlier one");

  private final TreeMap<Integer, ArrayDeque<Step>> vcpus = new TreeMap<>();
  private final List<Object> results = new ArrayList<>();
  private final Names.DomainName name;
  private int finished;

  /** One instruction, and where its result goes. */
  private record Step(int index, VcpuAccess access) {}

  /** An instruction that no vCPU executes. */
  record Refused(int ret, String errno, String detail) {}

  AccessBatch(Names.DomainName name) {
    this.name = name;
  }

  void add(int vcpu, VcpuAccess access) {
    vcpus.computeIfAbsent(vcpu, _ -> new ArrayDeque<>()).add(new Step(results.size(), access));
    results.add(NOT_BEGUN);
  }

  /**
   * Has each vCPU go on as far as it comes.
   *
   * @return whether all have ended
   */
  boolean advance(Machine machine) {
    DomainId domain = name.in(machine.hypervisor().domains()).id();
    vcpus.values().removeIf(steps -> advance(machine, domain, steps));
    return vcpus.isEmpty();
  }

  private boolean advance(Machine machine, DomainId domain, ArrayDeque<Step> steps) {
    while (!steps.isEmpty()) {
      Step step = steps.getFirst();
      Object result = result(machine, domain, step.access);
      results.set(step.index, result);
      if (result instanceof AccessOutcome outcome && outcome.isUnfinished()) {
        return false;
      }
      finished++;
      steps.removeFirst();
    }
    return true;
  }

  private static Object result(Machine machine, DomainId domain, VcpuAccess access) {
    try {
      return machine.execute(access.apply(domain));
    } catch (Refusal refusal) {
      return new Refused(-refusal.errno().number(), refusal.errno().name(), refusal.reason());
    }
  }

  Reply reply() {
    return Reply.ok(new Results(finished, List.copyOf(results)));
  }
}
