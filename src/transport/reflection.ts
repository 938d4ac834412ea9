import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
} from "../contract/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "../contract/grpc/reflection/v1alpha/reflection_pb.js";

/** Routes of gRPC server reflection, v1 and v1alpha: the given services, with their files and all that those import. */
export function reflection(router: ConnectRouter, services: readonly DescService[]): void {
  const index = new SymbolIndex(services);
  const answer = async function* (requests: AsyncIterable<ServerReflectionRequest>) {
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, messageResponse: index.answer(request) };
    }
  };
  router.service(ServerReflection, { serverReflectionInfo: answer });
  // The two versions differ in their package only, so one implementation has the shapes of both.
  router.service(ServerReflectionAlpha, { serverReflectionInfo: answer as never });
}

class SymbolIndex {
  readonly #services: string[];
  readonly #fileOfSymbol = new Map<string, DescFile>();
  readonly #fileOfName = new Map<string, DescFile>();

  constructor(services: readonly DescService[]) {
    this.#services = services.map((service) => service.typeName);
    for (const { file } of services) this.#add(file);
  }

  answer(request: ServerReflectionRequest) {
    const { case: kind, value } = request.messageRequest;
    if (kind === "listServices")
      return found("listServicesResponse", { service: this.#services.map((name) => ({ name })) });
    if (kind === "fileByFilename") return this.#fileAnswer(this.#fileOfName.get(value), value);
    if (kind === "fileContainingSymbol") return this.#fileAnswer(this.#fileOfSymbol.get(value), value);
    if (kind === "allExtensionNumbersOfType") {
      return found("allExtensionNumbersResponse", { baseTypeName: value, extensionNumber: [] });
    }
    return missing(kind === "fileContainingExtension" ? value.containingType : "the empty request");
  }

  #fileAnswer(file: DescFile | undefined, wanted: string) {
    if (!file) return missing(wanted);
    const closure = new Set<DescFile>();
    const visit = (next: DescFile): void => {
      closure.add(next);
      for (const dependency of next.dependencies) if (!closure.has(dependency)) visit(dependency);
    };
    visit(file);
    const bytes = [...closure].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
    return found("fileDescriptorResponse", { fileDescriptorProto: bytes });
  }

  #add(file: DescFile): void {
    if (this.#fileOfName.has(file.proto.name)) return;
    this.#fileOfName.set(file.proto.name, file);
    for (const service of file.services) {
      this.#fileOfSymbol.set(service.typeName, file);
      for (const method of service.methods)
        this.#fileOfSymbol.set(`${service.typeName}.${method.name}`, file);
    }
    for (const type of file.enums) this.#fileOfSymbol.set(type.typeName, file);
    for (const message of file.messages) this.#addMessage(message, file);
    for (const dependency of file.dependencies) this.#add(dependency);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#fileOfSymbol.set(message.typeName, file);
    for (const type of message.nestedEnums) this.#fileOfSymbol.set(type.typeName, file);
    for (const nested of message.nestedMessages) this.#addMessage(nested, file);
  }
}

function found<K extends string, V>(kind: K, value: V): { case: K; value: V } {
  return { case: kind, value };
}

function missing(wanted: string) {
  return found("errorResponse", {
    errorCode: Code.NotFound as number,
    errorMessage: `there is no ${wanted} here`,
  });
}
