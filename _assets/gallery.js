// The gallery (tools/gallery.py): a button beside each SVG file that makes a PNG of twice its size.
(() => {
  const FONT = new URL("fonts/inter.woff2", document.currentScript.src);
  const SCALE = 2;

  const asDataUri = (blob) =>
    new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(blob);
    });

  // a picture knows nothing of the page's fonts, so the font goes into the file
  let font;
  const withFont = async (svg) => {
    font ??= asDataUri(await (await fetch(FONT)).blob());
    const face = `@font-face{font-family:Inter;src:url(${await font});font-weight:100 900}`;
    return svg.replace(/>/, `><style>${face}</style>`);
  };

  const drawn = async (address) => {
    const svg = await withFont(await (await fetch(address)).text());
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();

    const canvas = document.createElement("canvas");
    canvas.width = SCALE * image.naturalWidth;
    canvas.height = SCALE * image.naturalHeight;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };

  document.addEventListener("click", async (event) => {
    const address = event.target.dataset?.svg;
    if (!address) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await drawn(address));
    link.download = address.split("/").pop().replace(/\.svg$/, ".png");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
})();
