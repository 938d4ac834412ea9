import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** One call with an empty message. Without an authority gRPC's C core chooses it. */
export interface PythonCall {
  readonly path: string;
  readonly authority?: string;
}

const program = `
import grpc, json, sys
target, calls = json.load(sys.stdin)
def outcome(call):
    options = [("grpc.default_authority", call["authority"])] if "authority" in call else []
    with grpc.insecure_channel(target, options) as channel:
        try:
            channel.unary_unary(call["path"])(b"", timeout=20)
            return "OK"
        except grpc.RpcError as error:
            return error.code().name + ": " + error.details()
print(json.dumps([outcome(call) for call in calls]))
`;

/** Makes calls by gRPC's C core, as the clients of Python, C++, Ruby and PHP do. Answers OK or the status of each. */
export async function callFromPython(target: string, calls: readonly PythonCall[]): Promise<string[]> {
  // The distribution's, which has its package: not one that comes first in PATH.
  const python = spawn("/usr/bin/python3", ["-c", program], { stdio: ["pipe", "pipe", "inherit"] });
  python.stdin.end(JSON.stringify([target, calls]));
  const [answers] = await Promise.all([text(python.stdout), once(python, "close")]);
  return JSON.parse(answers) as string[];
}
