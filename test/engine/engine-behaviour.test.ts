import { engineBehaviour } from "../support/engine-behaviour.ts";
import { privateLxd } from "../support/private-lxd.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

engineBehaviour("the real engine", async () => {
  const lxd = await privateLxd();
  return {
    connect: () => lxd.connect(),
    upload: uploadTinyImage,
    [Symbol.asyncDispose]: () => lxd[Symbol.asyncDispose](),
  };
});
