// Loads a series and its segmentation as OHIF does, compares and draws them. See cases.py.

import * as core from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import { adaptersSEG } from '@cornerstonejs/adapters';
import dcmjs from 'dcmjs';

const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
const headers = new Map(); // by image id
const PLANES = ['axial', 'sagittal', 'coronal'];
const LABELMAP = tools.Enums.SegmentationRepresentations.Labelmap;

const fetched = async (url) => (await fetch(url)).arrayBuffer();
const numbers = (value) => (Array.isArray(value) ? value.map(Number) : Number(value));

function parse(buffer) {
  const file = DicomMessage.readFile(buffer);
  const dataset = DicomMetaDictionary.naturalizeDataset(file.dict);
  const meta = DicomMetaDictionary.naturalizeDataset(file.meta);
  dataset.SOPInstanceUID ||= meta.MediaStorageSOPInstanceUID; // de-identified files lose it
  dataset.SeriesInstanceUID ||= '1.2.3';
  dataset.FrameOfReferenceUID ||= '1.2.4';
  return dataset;
}

function tell(kind, imageId) {
  const d = headers.get(imageId);
  if (!d) return undefined;
  const orientation = numbers(d.ImageOrientationPatient);
  const spacing = numbers(d.PixelSpacing);
  const kinds = {
    instance: d,
    imagePlaneModule: {
      frameOfReferenceUID: d.FrameOfReferenceUID,
      rows: d.Rows,
      columns: d.Columns,
      imageOrientationPatient: orientation,
      rowCosines: orientation.slice(0, 3),
      columnCosines: orientation.slice(3),
      imagePositionPatient: numbers(d.ImagePositionPatient),
      sliceThickness: numbers(d.SliceThickness),
      pixelSpacing: spacing,
      rowPixelSpacing: spacing[0],
      columnPixelSpacing: spacing[1],
    },
    imagePixelModule: {
      samplesPerPixel: 1,
      photometricInterpretation: d.PhotometricInterpretation,
      rows: d.Rows,
      columns: d.Columns,
      bitsAllocated: d.BitsAllocated,
      bitsStored: d.BitsStored,
      highBit: d.HighBit,
      pixelRepresentation: d.PixelRepresentation,
    },
    generalSeriesModule: { modality: 'CT', seriesInstanceUID: d.SeriesInstanceUID },
    generalImageModule: { sopInstanceUID: d.SOPInstanceUID },
    sopCommonModule: { sopInstanceUID: d.SOPInstanceUID, sopClassUID: d.SOPClassUID },
    modalityLutModule: { rescaleSlope: numbers(d.RescaleSlope), rescaleIntercept: numbers(d.RescaleIntercept) },
    voiLutModule: { windowCenter: [200], windowWidth: [1000] },
  };
  return kinds[kind];
}

function image(imageId) {
  const d = headers.get(imageId);
  const raw = d.PixelData[0] instanceof ArrayBuffer ? d.PixelData[0] : d.PixelData;
  const stored = d.PixelRepresentation ? new Int16Array(raw) : new Uint16Array(raw);
  const hu = Int16Array.from(stored, (v) => Math.round(v * d.RescaleSlope + Number(d.RescaleIntercept)));
  const spacing = numbers(d.PixelSpacing);
  const voxelManager = core.utilities.VoxelManager.createImageVoxelManager({
    width: d.Columns, height: d.Rows, scalarData: hu, numberOfComponents: 1,
  });
  const scaling = { rescaleSlope: 1, rescaleIntercept: 0 };
  const made = {
    imageId, voxelManager, dataType: 'Int16Array', numberOfComponents: 1, color: false, rgba: false, invert: false,
    columns: d.Columns, rows: d.Rows, width: d.Columns, height: d.Rows, slope: 1, intercept: 0,
    minPixelValue: -1024, maxPixelValue: 3000, windowCenter: 200, windowWidth: 1000, sizeInBytes: hu.byteLength,
    rowPixelSpacing: spacing[0], columnPixelSpacing: spacing[1], sliceThickness: numbers(d.SliceThickness),
    photometricInterpretation: 'MONOCHROME2', getPixelData: () => hu,
    preScale: { enabled: true, scaled: true, scalingParameters: scaling },
  };
  return { promise: Promise.resolve(made) };
}

async function loadSeries(name, order) {
  const files = await (await fetch(`data/${name}/files.json`)).json();
  const ids = [];
  for (const file of files) {
    const dataset = parse(await fetched(`data/${name}/ct/${file}`));
    ids.push(`held:${name}/${dataset.SOPInstanceUID}`);
    headers.set(ids.at(-1), dataset);
  }
  const [x, y] = [0, 3].map((n) => numbers(headers.get(ids[0]).ImageOrientationPatient).slice(n, n + 3));
  const normal = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
  const along = (id) => numbers(headers.get(id).ImagePositionPatient).reduce((sum, p, n) => sum + p * normal[n], 0);
  ids.sort((a, b) => along(b) - along(a)); // as OHIF sorts them
  if (order === 'reversed') ids.reverse();
  for (const id of ids) await core.imageLoader.loadAndCacheImage(id);
  return ids;
}

function compare(layers, ids, names, truth) {
  const found = {};
  for (const layer of layers) {
    layer.forEach((drawn, n) => {
      const uid = headers.get(ids[n]).SOPInstanceUID;
      drawn.voxelManager.getScalarData().forEach((number, k) => {
        if (number) ((found[names[number]] ??= {})[uid] ??= new Set()).add(k);
      });
    });
  }
  const report = {};
  for (const name of new Set([...Object.keys(truth), ...Object.keys(found)])) {
    const ours = Object.entries(truth[name] ?? {});
    const theirs = found[name] ?? {};
    report[name] = {
      ours: ours.reduce((sum, [, voxels]) => sum + voxels.length, 0),
      theirs: Object.values(theirs).reduce((sum, voxels) => sum + voxels.size, 0),
      both: ours.reduce((sum, [uid, voxels]) => sum + voxels.filter((k) => theirs[uid]?.has(k)).length, 0),
    };
  }
  return report;
}

function centreOf(voxelsByImage, ids) {
  const sum = [0, 0, 0];
  let count = 0;
  for (const d of ids.map((id) => headers.get(id))) {
    const [axes, first, spacing] = [d.ImageOrientationPatient, d.ImagePositionPatient, d.PixelSpacing].map(numbers);
    for (const k of voxelsByImage[d.SOPInstanceUID] ?? []) {
      const [row, column] = [Math.floor(k / d.Columns), k % d.Columns];
      for (let n = 0; n < 3; n++) sum[n] += first[n] + column * spacing[1] * axes[n] + row * spacing[0] * axes[3 + n];
      count += 1;
    }
  }
  return sum.map((total) => total / count);
}

async function draw(name, ids, layers, centre) {
  const volumeId = `cornerstoneStreamingImageVolume:${name}`;
  const volume = await core.volumeLoader.createAndCacheVolume(volumeId, { imageIds: ids });
  volume.load();
  await new Promise((done) => setTimeout(done, 1500));
  const engine = new core.RenderingEngine(name);
  engine.setViewports(PLANES.map((plane) => ({
    viewportId: plane,
    type: core.Enums.ViewportType.ORTHOGRAPHIC,
    element: document.getElementById(plane),
    defaultOptions: { orientation: core.Enums.OrientationAxis[plane.toUpperCase()] },
  })));
  const callback = ({ volumeActor }) => volumeActor.getProperty().getRGBTransferFunction(0).setMappingRange(-300, 700);
  await core.setVolumesForViewports(engine, [{ volumeId, callback }], PLANES);
  for (const [n, layer] of layers.entries()) {
    const segmentationId = `layer-${n}`;
    const data = { imageIds: layer.map((drawn) => drawn.imageId) };
    tools.segmentation.addSegmentations([{ segmentationId, representation: { type: LABELMAP, data } }]);
    for (const plane of PLANES) {
      await tools.segmentation.addLabelmapRepresentationToViewport(plane, [{ segmentationId, type: LABELMAP }]);
    }
  }
  for (const plane of PLANES) {
    const viewport = engine.getViewport(plane);
    viewport.resetCamera();
    const { focalPoint, position, viewPlaneNormal: normal } = viewport.getCamera();
    const step = centre.reduce((sum, c, n) => sum + (c - focalPoint[n]) * normal[n], 0);
    const moved = (point) => point.map((p, n) => p + step * normal[n]);
    viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    viewport.render();
  }
  await new Promise((done) => setTimeout(done, 1500));
}

window.check = async (name, order) => {
  await core.init();
  await tools.init();
  core.metaData.addProvider(tell, 10000);
  core.imageLoader.registerImageLoader('held', image);
  const ids = await loadSeries(name, order);
  const buffer = await fetched(`data/${name}/seg.dcm`);
  const options = { metadataProvider: core.metaData };
  const made = await adaptersSEG.Cornerstone3D.Segmentation.createFromDICOMSegBuffer(ids, buffer, options);
  const truth = await (await fetch(`data/${name}/truth.json`)).json();
  const segments = [].concat(parse(buffer).SegmentSequence);
  const names = Object.fromEntries(segments.map((s) => [s.SegmentNumber, s.SegmentLabel]));
  const report = compare(made.labelMapImages, ids, names, truth);
  await draw(name, ids, made.labelMapImages, centreOf(truth[segments.at(-1).SegmentLabel] ?? Object.values(truth)[0], ids));
  return report;
};
window.isReady = true;
