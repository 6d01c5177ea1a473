package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PageRequest;
import io.hypercalld.iommu.vtd.PageRequestFields;
import io.hypercalld.iommu.vtd.Register;

/**
 * Puts devices' page requests into a ring in memory and tells software. Confined to the machine
 * thread.
 *
 * <p>A ring that is full overflows and takes nothing more until software clears PRO. A request that
 * cannot be queued is answered by the unit itself where the device waits for it: with success after
 * an overflow, so that it asks again, and with failure where the request is a fault.
 *
 * @see "VT-d §7.4, §7.5, §11.4.12"
 */
final class PageRequestQueue {
  private static final int SUCCESS = 0;
  private static final int INVALID = 1;
  private static final int FAILURE = 15;

  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final UnitCounters counters;
  private final PageRequestJudge judge;
  private final RequestEnd end;
  private final Translation scratch = new Translation();
  private final Endpoints endpoints;
  private final EventLine event;

  /** A unit's queue, if it has one. */
  PageRequestQueue(
      Circuit circuit,
      PageRequestJudge judge,
      RequestEnd end,
      Endpoints endpoints,
      MessageSink sink) {
    this.registers = circuit.registers();
    this.memory = circuit.memory();
    this.counters = circuit.counters();
    this.judge = judge;
    this.end = end;
    this.endpoints = endpoints;
    boolean present = circuit.capabilities().pageRequests();
    this.event = EventLine.pageRequests(circuit, sink, present);
    if (present) {
      for (Register register :
          new Register[] {Register.PQH, Register.PQT, Register.PQA, Register.PRS}) {
        registers.declare(register, register.kinds());
      }
      registers.onWrite(Register.PRS, _ -> statusWritten());
    }
  }

  /** A device asks for a page; answers whether the request is in the queue. */
  boolean request(PageRequest request) {
    Endpoint device = endpoints.of(request.device());
    device.await(request.group());
    PageRequestJudge.Ruling ruling = judge.judge(request);
    if (ruling.fault().isPresent()) {
      MemoryRequest blocked =
          new MemoryRequest(
              request.device(), request.prefix(), request.page(), DmaAccess.PAGE_REQUEST);
      end.block(blocked, ruling.fault().get(), ruling.silent(), scratch);
      answer(device, request, INVALID);
      return false;
    }
    long status = registers.get(Register.PRS);
    if (PageRequestFields.PRO.isSet(status) || isFull()) {
      answer(device, request, SUCCESS);
      raise(PageRequestFields.PRO.mask());
      return false;
    }
    return enqueue(device, request);
  }

  private boolean enqueue(Endpoint device, PageRequest request) {
    long address = registers.get(Register.PQA);
    long maddr = PageRequestFields.base(address) + registers.get(Register.PQT);
    if (!memory.isRam(maddr, PageRequest.BYTES)) {
      answer(device, request, FAILURE);
      return false;
    }
    request.write(memory, maddr);
    registers.set(Register.PQT, next(address));
    counters.pageRequests++;
    raise(PageRequestFields.PPR.mask());
    return true;
  }

  private boolean isFull() {
    return next(registers.get(Register.PQA)) == registers.get(Register.PQH);
  }

  private long next(long address) {
    return (registers.get(Register.PQT) + PageRequest.BYTES) % PageRequestFields.bytes(address);
  }

  /** Nobody waits for an answer to any but a group's last request. */
  private void answer(Endpoint device, PageRequest request, int code) {
    if (request.last()) {
      device.answer(request.group(), code);
      counters.pageResponses++;
    }
  }

  /** A condition that joins another one is no new event. */
  private void raise(long condition) {
    long status = registers.get(Register.PRS);
    registers.set(Register.PRS, status | condition);
    if (status == 0) {
      event.raise();
    }
  }

  private void statusWritten() {
    if (registers.get(Register.PRS) == 0) {
      event.settle();
    }
  }
}
