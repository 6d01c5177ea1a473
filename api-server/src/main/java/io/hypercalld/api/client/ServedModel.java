package io.hypercalld.api.client;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A device model whose registers keep what is written to them. Confined to the command's thread.
 *
 * <p>It serves until the server or its domain is gone, or the program is told to end, and takes its
 * server with it.
 */
final class ServedModel {
  private static final View REQUEST = View.of("id vcpu type dir address size data");
  private static final String PATIENCE = "20s";

  private final Conversation conversation;
  private final String servers;
  private final BigInteger unwritten;
  private final Map<BigInteger, BigInteger> registers = new HashMap<>();

  private ServedModel(Conversation conversation, String servers, BigInteger unwritten) {
    this.conversation = conversation;
    this.servers = servers;
    this.unwritten = unwritten;
  }

  /**
   * Makes a server and answers for it.
   *
   * @throws CommandFailure USAGE for a range that is none, and what the daemon refuses
   */
  static Exit serve(Conversation conversation, Grammar.Said said) {
    String domain = said.values().getOrDefault("DOMAIN", "");
    ServedModel model =
        new ServedModel(
            conversation,
            "/v1/domains/" + HttpCall.encode(domain) + "/ioreq-servers",
            number(said.values().getOrDefault("--unwritten", "0xff")));
    return model.run(range(said.values().getOrDefault("RANGE", "")));
  }

  private Exit run(Map<String, String> range) {
    Object made = conversation.demand(call("POST", servers, Map.of("ranges", List.of(range))));
    String server = servers + "/" + Tables.cell(Tree.at(made, "id"));
    conversation.terminal().atExit().accept(() -> end(server));
    conversation.terminal().say("serving at " + server);
    boolean served = true;
    while (served) {
      served = poll(server);
    }
    return Exit.OK;
  }

  private void end(String server) {
    conversation.daemon().ask(call("DELETE", server, Map.of()));
  }

  /** Answers what waits; false where the server is gone. */
  private boolean poll(String server) {
    try {
      Object waiting =
          conversation.demand(call("GET", server + "/requests?wait=" + PATIENCE, Map.of()));
      for (Object request : Tree.listAt(waiting, "items")) {
        conversation.terminal().print(conversation.format().print(request, REQUEST, false));
        String data = answer(request);
        conversation.demand(
            call(
                "POST",
                "%s/requests/%s/response".formatted(server, Tables.cell(Tree.at(request, "id"))),
                Map.of("data", data)));
      }
      return true;
    } catch (CommandFailure e) {
      if (e.exit() == Exit.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  private String answer(Object request) {
    BigInteger address = number(Tables.cell(Tree.at(request, "address")));
    String data = Tables.cell(Tree.at(request, "data"));
    if (Tree.textAt(request, "dir").equals(Optional.of("write"))) {
      registers.put(address, number(data));
      return data;
    }
    return "0x" + registers.getOrDefault(address, unwritten).toString(16);
  }

  private static HttpCall call(String method, String target, Map<String, Object> body) {
    return new HttpCall(
        method,
        target,
        Map.of("Accept", "application/json"),
        body.isEmpty() ? Optional.empty() : Optional.of(new Content.Json(Tree.text(body))));
  }

  private static Map<String, String> range(String spelled) {
    String[] typed = spelled.split(":", 2);
    String[] ends = typed.length > 1 ? typed[1].split("-", 2) : new String[0];
    if (ends.length < 2) {
      throw CommandFailure.of(
          Exit.USAGE, "ioreq serve: \"%s\" is not a range such as port:0x3f8-0x3ff", spelled);
    }
    return Map.of("type", typed[0], "start", ends[0], "end", ends[1]);
  }

  private static BigInteger number(String text) {
    try {
      return text.startsWith("0x") ? new BigInteger(text.substring(2), 16) : new BigInteger(text);
    } catch (NumberFormatException e) {
      throw CommandFailure.of(Exit.USAGE, "\"%s\" is not a number", text);
    }
  }
}
